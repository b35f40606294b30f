//! `POST /v1/tickets/{id}/…`: the commands to a ticket. What they have in common is in `command.rs`; what
//! they mean is the aggregate's.

use chrono::{DateTime, Datelike, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use shared_kernel::{AgentId, TeamId};
use ticket_aggregate::{Command, CommandKind, LinkKind, Priority, ResolutionCode, Tag, TicketId};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};
use uuid::Uuid;

use super::bodies::{Body, Form, at, route};
use super::open::{OpenTicket, TagText};
use crate::openapi::add;
use crate::problem::FieldError;
use crate::route::Route;

/// How urgent it is.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Priority)]
pub(crate) enum PriorityWord {
    Low,
    Normal,
    High,
    Urgent,
}

impl From<PriorityWord> for Priority {
    fn from(word: PriorityWord) -> Self {
        match word {
            PriorityWord::Low => Self::Low,
            PriorityWord::Normal => Self::Normal,
            PriorityWord::High => Self::High,
            PriorityWord::Urgent => Self::Urgent,
        }
    }
}

/// What the other ticket is to this one.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LinkKind)]
pub(crate) enum LinkWord {
    RelatesTo,
    Blocks,
    BlockedBy,
    Duplicates,
    DuplicatedBy,
    ParentOf,
    ChildOf,
}

impl From<LinkWord> for LinkKind {
    fn from(word: LinkWord) -> Self {
        match word {
            LinkWord::RelatesTo => Self::RelatesTo,
            LinkWord::Blocks => Self::Blocks,
            LinkWord::BlockedBy => Self::BlockedBy,
            LinkWord::Duplicates => Self::Duplicates,
            LinkWord::DuplicatedBy => Self::DuplicatedBy,
            LinkWord::ParentOf => Self::ParentOf,
            LinkWord::ChildOf => Self::ChildOf,
        }
    }
}

fn tags(texts: &[TagText]) -> Result<std::collections::BTreeSet<Tag>, FieldError> {
    texts.iter().enumerate().map(|(index, tag)| at(&format!("/tags/{index}"), Tag::parse(&tag.0))).collect()
}

/// An offset can carry a time out of the years that RFC 3339 can write, and then nobody could read it any more.
fn within_the_calendar(wake_at: DateTime<Utc>) -> Result<DateTime<Utc>, FieldError> {
    let fault = || FieldError::new("/wake_at", "this must not be after the year 9999 of UTC");
    if wake_at.year() <= 9_999 { Ok(wake_at) } else { Err(fault()) }
}

/// Declares the commands: of each the members of its body, its route, and what it says to the desk.
macro_rules! commands {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident { $($(#[$meta:meta])* $member:ident: $type:ty,)* }
        $form:ident $path:literal $id:literal $summary:literal $example:tt
        |$body:pat_param| $kind:ident => $command:expr;
    )+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Deserialize, ToSchema)]
            #[serde(deny_unknown_fields)]
            pub(crate) struct $name { $($(#[$meta])* $member: $type,)* }

            impl Body for $name {
                const KIND: CommandKind = CommandKind::$kind;
                const FORM: Form = Form::$form;
                const PATH: &'static str = concat!("/v1/tickets/{id}/", $path);
                const ID: &'static str = $id;
                const SCHEMA: &'static str = stringify!($name);
                const SUMMARY: &'static str = $summary;
                const DESCRIPTION: &'static str = concat!($($doc,)+);

                fn example() -> Value {
                    json!($example)
                }

                fn into_command(self) -> Result<Command, FieldError> {
                    let $body = self;
                    Ok($command)
                }
            }
        )+

        pub(crate) fn routes() -> Vec<Route> {
            vec![$(route::<$name>()),+]
        }

        pub(crate) fn schemas(found: &mut Vec<(String, RefOr<Schema>)>) {
            add::<OpenTicket>(found);
            $(add::<$name>(found);)+
        }
    };
}

commands! {
    /// An agent's reply goes to the requester; a requester's sets a waiting or resolved ticket going again,
    /// and opens a new one with `follow_up_of` where it is closed: then `Location` names that one.
    Reply {
        #[schema(min_length = 1, max_length = 65_536, pattern = "prose")]
        body: String,
        /// The id that the message has where it came from; the same again records nothing.
        #[schema(min_length = 1, max_length = 1000, pattern = "line")]
        source_id: Option<String>,
    }
    AddMessage "replies" "reply_to_ticket" "Write a public reply" {"body": "We are on our way."}
    |b| Reply => Command::Reply { body: b.body, source_id: b.source_id };

    /// For agents only; the requester never sees it.
    Note {
        #[schema(min_length = 1, max_length = 65_536, pattern = "prose")]
        body: String,
    }
    AddMessage "notes" "add_note" "Write an internal note" {"body": "Third time this month."}
    |b| Note => Command::Note { body: b.body };

    /// Tags that are there already are passed over.
    AddTags {
        #[schema(min_items = 1, max_items = 100)]
        tags: Vec<TagText>,
    }
    Change "tags" "add_tags" "Add tags" {"tags": ["printer"]}
    |b| Tag => Command::Tag { tags: tags(&b.tags)? };

    /// Tags that are not there are passed over.
    RemoveTags {
        #[schema(min_items = 1, max_items = 100)]
        tags: Vec<TagText>,
    }
    Remove "tags" "remove_tags" "Remove tags" {"tags": ["printer"]}
    |b| Untag => Command::Untag { tags: tags(&b.tags)? };

    /// A follower with an e-mail address gets the public replies, and sees the ticket as its requester does.
    Follow {
        /// An e-mail address or an agent's id.
        #[schema(min_length = 1, max_length = 254, pattern = "line")]
        follower: String,
    }
    Add "followers" "add_follower" "Add a follower" {"follower": "ada"}
    |b| Follow => Command::Follow { follower: b.follower };

    /// Who does not follow is passed over.
    Unfollow {
        /// An e-mail address or an agent's id.
        #[schema(min_length = 1, max_length = 254, pattern = "line")]
        follower: String,
    }
    Remove "followers" "remove_follower" "Remove a follower" {"follower": "ada"}
    |b| Unfollow => Command::Unfollow { follower: b.follower };

    /// Agents take tickets themselves; leads and admins assign others. A new ticket is open from then on.
    Assign {
        /// An agent's id.
        #[schema(min_length = 1, max_length = 64, pattern = "line")]
        assignee: String,
    }
    Change "assign" "assign_ticket" "Give the ticket to an agent" {"assignee": "ada"}
    |b| Assign => Command::Assign { assignee: at("/assignee", AgentId::parse(&b.assignee))? };

    /// The ticket goes back to its team's queue.
    Unassign {}
    Change "unassign" "unassign_ticket" "Take the ticket from its agent" {}
    |_| Unassign => Command::Unassign;

    /// Its agent, if any, loses it: an assignee belongs to the ticket's team.
    RouteTo {
        #[schema(min_length = 1, max_length = 64, pattern = "line")]
        team: String,
    }
    Change "route" "route_ticket" "Put the ticket into a team's queue" {"team": "facilities"}
    |b| Route => Command::Route { team: at("/team", TeamId::parse(&b.team))? };

    /// The same priority again records nothing.
    Prioritize {
        priority: PriorityWord,
        #[schema(min_length = 1, max_length = 1000, pattern = "prose")]
        reason: Option<String>,
    }
    Change "prioritize" "prioritize_ticket" "Change the priority" {"priority": "high", "reason": "Smoke in the corridor."}
    |b| Prioritize => Command::Prioritize { priority: b.priority.into(), reason: b.reason };

    /// The same category again records nothing.
    Categorize {
        #[schema(min_length = 1, max_length = 100, pattern = "line")]
        category: String,
    }
    Change "categorize" "categorize_ticket" "Change the category" {"category": "hardware"}
    |b| Categorize => Command::Categorize { category: b.category };

    /// The same subject again records nothing.
    Rename {
        #[schema(min_length = 1, max_length = 300, pattern = "line")]
        subject: String,
    }
    Change "rename" "rename_ticket" "Change the subject" {"subject": "The printer was on fire"}
    |b| Rename => Command::Rename { subject: b.subject };

    /// A new ticket is open from then on.
    Start {}
    Change "start" "start_work" "Take up work on a new ticket" {}
    |_| Start => Command::Start;

    /// Needs a public reply of an agent since the requester last wrote.
    AwaitRequester {}
    Change "await-requester" "await_requester" "Wait for the requester" {}
    |_| AwaitRequester => Command::AwaitRequester;

    /// Waits for something other than the requester.
    Hold {
        #[schema(min_length = 1, max_length = 1000, pattern = "prose")]
        reason: String,
        /// In the future.
        wake_at: Option<DateTime<Utc>>,
    }
    Change "hold" "hold_ticket" "Put the ticket on hold" {"reason": "A new printer is ordered.", "wake_at": "2099-01-31T09:00:00Z"}
    |b| Hold => Command::Hold { reason: b.reason, wake_at: b.wake_at.map(within_the_calendar).transpose()? };

    /// The ticket is open again.
    Resume {}
    Change "resume" "resume_ticket" "Stop waiting" {}
    |_| Resume => Command::Resume;

    /// Needs an assignee, or makes the acting agent one; no unresolved ticket may block it.
    Resolve {
        /// How it was solved: `solved`, `workaround`, …
        #[schema(min_length = 1, max_length = 100, pattern = "line")]
        code: String,
        /// For agents only.
        #[schema(min_length = 1, max_length = 65_536, pattern = "prose")]
        note: Option<String>,
    }
    Change "resolve" "resolve_ticket" "Declare the ticket solved" {"code": "solved", "note": "Replaced the fuser."}
    |b| Resolve => Command::Resolve { code: at("/code", ResolutionCode::parse(&b.code))?, note: b.note };

    /// By the requester, on their own ticket.
    Confirm {}
    Change "confirm" "confirm_solved" "Declare your ticket solved" {}
    |_| Confirm => Command::Confirm;

    /// Until the deadline that was pinned when it was resolved. Agents must give a reason.
    Reopen {
        #[schema(min_length = 1, max_length = 1000, pattern = "prose")]
        reason: Option<String>,
    }
    Change "reopen" "reopen_ticket" "Take up a resolved ticket again" {"reason": "It burns again."}
    |b| Reopen => Command::Reopen { reason: b.reason };

    /// The requester at any time; leads once it can no longer be reopened, or the requester confirmed it.
    Close {}
    Change "close" "close_ticket" "End a resolved ticket for good" {}
    |_| Close => Command::Close;

    /// As long as no agent has replied publicly.
    Spam {}
    Change "spam" "mark_spam" "End a ticket that was never a request" {}
    |_| Spam => Command::Spam;

    /// Recorded on both tickets at once.
    Link {
        kind: LinkWord,
        /// The other ticket's id.
        other: Uuid,
    }
    Change "link" "link_ticket" "Link another ticket" {"kind": "blocked_by", "other": "01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11"}
    |b| Link => Command::Link { kind: b.kind.into(), other: TicketId(b.other) };

    /// Recorded on both tickets at once.
    Unlink {
        kind: LinkWord,
        /// The other ticket's id.
        other: Uuid,
    }
    Change "unlink" "unlink_ticket" "Remove a link" {"kind": "blocked_by", "other": "01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11"}
    |b| Unlink => Command::Unlink { kind: b.kind.into(), other: TicketId(b.other) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_cannot_be_on_hold_beyond_the_calendar() {
        let hold = |wake_at: &str| {
            serde_json::from_value::<Hold>(json!({"reason": "x", "wake_at": wake_at})).unwrap().into_command()
        };
        assert!(hold("9999-12-31T23:59:59Z").is_ok());
        assert_eq!(hold("9999-12-31T23:59:59-23:59").unwrap_err().pointer, "/wake_at");
    }
}
