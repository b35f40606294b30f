//! The texts that a ticket is found by.

use ticket_aggregate::{Event, Opening};

use crate::tokenizer::{Vector, vector};

/// The entry of a ticket's subject, the only text that can change.
pub(super) const SUBJECT: i64 = 0;

/// A text that a ticket is found by.
#[derive(Clone, Copy, Debug)]
struct SearchableText<'a> {
    /// The version at which it was written, or [`SUBJECT`].
    entry: i64,
    /// Whether the requester may find the ticket by it.
    public: bool,
    text: &'a str,
}

/// The words that an event adds at a version of its ticket, by entry.
pub(super) fn entry_words(event: &Event, version: i64) -> impl Iterator<Item = (i64, (bool, Vector))> {
    texts(event, version).into_iter().map(|text| (text.entry, (text.public, vector(text.text))))
}

fn texts(event: &Event, version: i64) -> Vec<SearchableText<'_>> {
    let text = |entry, public, text| SearchableText { entry, public, text };
    match event {
        Event::TicketOpened(opened) => {
            let Opening { subject, body } = &opened.personal.text;
            vec![text(SUBJECT, true, &**subject), text(version, true, body)]
        }
        Event::SubjectChanged { personal } => vec![text(SUBJECT, true, &*personal.text.to)],
        Event::PublicReplyAdded { personal, .. } | Event::RequesterReplied { personal, .. } => {
            vec![text(version, true, &*personal.text.body)]
        }
        Event::InternalNoteAdded { personal, .. } => vec![text(version, false, &*personal.text.body)],
        Event::AgentAssigned { .. }
        | Event::AgentUnassigned { .. }
        | Event::TeamAssigned { .. }
        | Event::PriorityChanged { .. }
        | Event::CategoryChanged { .. }
        | Event::TagsAdded { .. }
        | Event::TagsRemoved { .. }
        | Event::RequesterChanged { .. }
        | Event::WorkStarted {}
        | Event::TicketPended {}
        | Event::TicketPutOnHold { .. }
        | Event::TicketResumed { .. }
        | Event::TicketResolved { .. }
        | Event::TicketReopened { .. }
        | Event::TicketClosed { .. }
        | Event::TicketLinked { .. }
        | Event::TicketUnlinked { .. }
        | Event::FollowerAdded { .. }
        | Event::FollowerRemoved { .. } => Vec::new(),
    }
}
