//! Whether a recorded event could have been recorded: the audit's question to a person's history.

use std::fmt;

use shared_kernel::{IdentityId, PersonId};

use crate::event::Event;
use crate::person::Person;

/// Why an event can't have happened in that state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IllegalStep {
    /// Only a registration can come first.
    #[error("{event_type} before the person was registered")]
    BeforeRegistration {
        /// What was recorded.
        event_type: &'static str,
    },
    /// A person is registered once.
    #[error("the person is registered a second time")]
    RegisteredAgain,
    /// A merged person's record is at its end.
    #[error("{event_type} after the person was merged into {into}")]
    AfterMerge {
        /// What was recorded.
        event_type: &'static str,
        /// The other person.
        into: PersonId,
    },
    /// The event holds personal text of somebody else.
    #[error("{event_type} holds personal text of {of}, not of the person")]
    OfAnother {
        /// What was recorded.
        event_type: &'static str,
        /// Whose text it is said to be.
        of: PersonId,
    },
    /// The event merges the person with themselves, or with who was merged into them.
    #[error("{event_type} merges the person with themselves")]
    MergeWithItself {
        /// What was recorded.
        event_type: &'static str,
    },
    /// The event says of the state before it what is not so, or changes nothing.
    #[error("{event_type} contradicts the person: {field} is {actual}")]
    Contradiction {
        /// What was recorded.
        event_type: &'static str,
        /// The person's member that it contradicts.
        field: &'static str,
        /// What that member really was.
        actual: String,
    },
}

/// Whether this event may follow on that state. Limits on numbers are not checked: they may have been others then.
///
/// # Errors
/// Why it can't have happened.
pub fn legal_step(before: Option<&Person>, event: &Event) -> Result<(), IllegalStep> {
    let event_type = event.name();
    match (before, event) {
        (None, Event::PersonRegistered { .. }) => Ok(()),
        (None, _) => Err(IllegalStep::BeforeRegistration { event_type }),
        (Some(_), Event::PersonRegistered { .. }) => Err(IllegalStep::RegisteredAgain),
        (Some(Person { merged_into: Some(into), .. }), _) => Err(IllegalStep::AfterMerge { event_type, into: *into }),
        (Some(person), _) => {
            check_people(person, event)?;
            check_premise(person, event)
        }
    }
}

/// The people whom the event names: personal text is the person's own, and nobody is merged with themselves.
fn check_people(person: &Person, event: &Event) -> Result<(), IllegalStep> {
    let event_type = event.name();
    let of = match event {
        Event::IdentityAdded(added) => added.personal.of,
        Event::PersonRenamed { personal } => personal.of,
        _ => person.id,
    };
    if of != person.id {
        return Err(IllegalStep::OfAnother { event_type, of });
    }
    let with_itself = match event {
        Event::PersonMerged { into } => *into == person.id || person.merged.contains(into),
        Event::MergeReceived { source, includes } => *source == person.id || includes.contains(&person.id),
        _ => false,
    };
    if with_itself { Err(IllegalStep::MergeWithItself { event_type }) } else { Ok(()) }
}

fn check_premise(person: &Person, event: &Event) -> Result<(), IllegalStep> {
    let Person { name, identities, last_identity, merged, blocked, .. } = person;
    let premise = |holds: bool, field: &'static str, actual: &dyn fmt::Debug| {
        if holds {
            return Ok(());
        }
        Err(IllegalStep::Contradiction { event_type: event.name(), field, actual: format!("{actual:?}") })
    };
    match event {
        // both answered above
        Event::PersonRegistered { .. } | Event::PersonMerged { .. } => Ok(()),
        Event::IdentityAdded(added) => {
            let next = last_identity.0.checked_add(1).map(IdentityId);
            premise(next == Some(added.identity), "last_identity", last_identity)?;
            premise(person.identity(&added.personal.text).is_none(), "identities", &identities.keys())
        }
        Event::IdentityRemoved { identity } => {
            premise(identities.contains_key(identity), "identities", &identities.keys())
        }
        Event::PersonRenamed { personal } => {
            // the names stay out of the message: it goes into logs
            let is_named = if name.is_some() { "another one" } else { "none" };
            let (from, to) = (&personal.text.from, &personal.text.to);
            premise(from == name && from != to, "name", &is_named)
        }
        Event::MergeReceived { source, includes } => {
            let adds = !merged.contains(source) || !includes.is_subset(merged);
            premise(adds, "merged", merged)
        }
        Event::PersonBlocked { .. } => premise(!blocked, "blocked", blocked),
        Event::PersonUnblocked {} => premise(*blocked, "blocked", blocked),
    }
}
