//! A ticket: what its events add up to.

use shared_kernel::{Actor, AgentId, IdentityId, PersonId, Role, StreamVersion, TeamId, TicketId};
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::command::CommandKind;
use crate::event::Recipient;
use crate::table;
use crate::value::{Channel, ClosedReason, DueKind, LinkKind, Priority, ResolutionCode, Status, Tag, TicketNumber};

/// What another ticket is to this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Link {
    /// In what way.
    pub kind: LinkKind,
    /// The other.
    pub other: TicketId,
}

/// The fold of a ticket's events. Only [`evolve`](shared_kernel::Aggregate::evolve) makes one.
///
/// Serde is for snapshots and read models. What is not there is left out, and what changes often comes first: a row that is
/// written again then has its beginning and its end in common with the one before, which PostgreSQL does not log again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// How many events its stream has, up to the last that was folded.
    pub version: StreamVersion,
    /// When its last event happened.
    pub updated_at: DateTime<Utc>,
    /// The version of its last event that the requester may see.
    pub public_version: StreamVersion,
    /// When that happened.
    pub public_updated_at: DateTime<Utc>,
    /// Where it stands.
    pub status: Status,
    /// Who has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<AgentId>,
    /// Whether an agent has ever written to the requester.
    #[serde(default, skip_serializing_if = "is_no")]
    pub agent_replied_publicly: bool,
    /// Whether an agent has written to the requester since the requester last wrote; the opening counts as writing.
    #[serde(default, skip_serializing_if = "is_no")]
    pub agent_replied_since_requester: bool,
    /// When it was resolved; none again once reopened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<DateTime<Utc>>,
    /// How it was resolved; none again once reopened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution_code: Option<ResolutionCode>,
    /// Whether it was the requester who declared it solved.
    #[serde(default, skip_serializing_if = "is_no")]
    pub confirmed_by_requester: bool,
    /// Until when it can be reopened; none unless it was resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reopen_until: Option<DateTime<Utc>>,
    /// How often it was reopened.
    pub reopen_count: u32,
    /// What a ticket on hold waits for; never there in a public view.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_reason: Option<String>,
    /// When a ticket on hold goes on by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wake_at: Option<DateTime<Utc>>,
    /// The version of the event that set the timer in force, see [`due`](Ticket::due); none without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timer_set_by: Option<StreamVersion>,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime<Utc>>,
    /// Why it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_reason: Option<ClosedReason>,
    /// How urgent it is.
    pub priority: Priority,
    /// What it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Whose queue it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<Tag>,
    /// The people who read along, besides the requester.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub followers: BTreeSet<PersonId>,
    /// Its links to other tickets.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub links: BTreeSet<Link>,
    /// The foreign ids of its messages, the opening's included: a mail that is delivered again is known by them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub source_ids: BTreeSet<String>,
    /// The number people know it by.
    pub number: TicketNumber,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// The way by which it came.
    pub channel: Channel,
    /// Who asks; none when an agent opened it for nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requester: Option<PersonId>,
    /// The closed ticket that this one goes on from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_up_of: Option<TicketId>,
    /// What it is about.
    pub subject: String,
    /// The requester's first message.
    pub body: String,
}

/// For serde: a `false` is left out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_no(yes: &bool) -> bool {
    !yes
}

impl Ticket {
    /// The commands that someone of this role may try now, in the order of [`CommandKind::ALL`].
    ///
    /// They follow from status and role alone, never from the clock, so that the same version of a ticket always
    /// shows the same. A command in the list may still be refused by its guard.
    pub fn allowed_commands(&self, role: Role) -> Vec<CommandKind> {
        table::allowed(self.status, role)
    }

    /// The tickets that must be resolved before this one.
    pub fn blocked_by(&self) -> impl Iterator<Item = TicketId> + '_ {
        let blocking = |link: &&Link| link.kind == LinkKind::BlockedBy;
        self.links.iter().filter(blocking).map(|link| link.other)
    }

    /// Whether the ticket is the actor's own, or that of somebody who was merged into them.
    pub fn is_requested_by(&self, actor: &Actor) -> bool {
        self.requester.is_some_and(|requester| actor.is(requester))
    }

    /// Whether the actor follows the ticket, or somebody who was merged into them.
    pub fn is_followed_by(&self, actor: &Actor) -> bool {
        self.followers.iter().any(|follower| actor.is(*follower))
    }

    /// The people to whom a public reply goes: the requester, then the followers.
    pub fn correspondents(&self) -> impl Iterator<Item = PersonId> + '_ {
        let others = self.followers.iter().copied().filter(|follower| Some(*follower) != self.requester);
        self.requester.into_iter().chain(others)
    }

    /// Where a public reply goes now, given the correspondents' addresses. Who has none gets no mail.
    pub fn recipients(&self, identities: &BTreeMap<PersonId, IdentityId>) -> Vec<Recipient> {
        let address = |person| identities.get(&person).map(|identity| Recipient { person, identity: *identity });
        self.correspondents().filter_map(address).collect()
    }

    /// The agent whose capacity the ticket takes up: its assignee, as long as there is something for them to do.
    pub fn occupies(&self) -> Option<AgentId> {
        match self.status {
            Status::New | Status::Open => self.assignee,
            Status::Pending | Status::OnHold | Status::Resolved | Status::Closed => None,
        }
    }

    /// The timer in force: what it does, when, and the version of the event that set it.
    pub fn due(&self) -> Option<(DueKind, DateTime<Utc>, StreamVersion)> {
        let (kind, at) = match self.status {
            Status::OnHold => (DueKind::Wake, self.wake_at?),
            Status::Resolved => (DueKind::Close, self.reopen_until?),
            Status::New | Status::Open | Status::Pending | Status::Closed => return None,
        };
        Some((kind, at, self.timer_set_by?))
    }
}
