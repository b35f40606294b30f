//! What a decision needs to know that is not in the ticket's own events.

use shared_kernel::{Actor, IdentityId, PersonId, TeamId, TicketId};
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::value::MessageId;

/// The last second that RFC 3339 can write: the end of the year 9999.
const FOR_EVER: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(time) => time,
    None => DateTime::<Utc>::MAX_UTC,
};

/// The facts of the moment at which a command is decided. All of them are arguments, so that the same decision can be
/// made again and comes out the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The time.
    pub now: DateTime<Utc>,
    /// Who asks.
    pub actor: Actor,
    /// The ticket's own id, which its events do not repeat.
    pub ticket_id: TicketId,
    /// The id of the reply or note that the command may add; no command adds more than one.
    pub message_id: MessageId,
    /// How long after its resolution a ticket can be reopened.
    pub reopen_window: TimeDelta,
    /// An import's own deadline; goes before `now + reopen_window`.
    pub reopen_until: Option<DateTime<Utc>>,
    /// The primary e-mail addresses of the requester and the followers. Who is missing gets no mail.
    pub identities: BTreeMap<PersonId, IdentityId>,
    /// The teams of the agent who would get the ticket (for `resolve`: the actor). None: they are not known, and
    /// membership is not checked.
    pub assignee_teams: Option<BTreeSet<TeamId>>,
    /// Whether the agent who has the ticket is in its team and not offline. Of no account while nobody has it.
    pub assignee_available: bool,
    /// Those of the tickets that this one is blocked by that are neither resolved nor closed.
    pub open_blockers: Vec<TicketId>,
}

impl Context {
    /// The deadline to pin on a ticket that is resolved now.
    pub(crate) fn deadline(&self) -> DateTime<Utc> {
        self.reopen_until.unwrap_or_else(|| {
            // an absurd window means "for ever", not a crash
            let deadline = self.now.checked_add_signed(self.reopen_window);
            deadline.filter(|deadline| *deadline < FOR_EVER).unwrap_or(FOR_EVER)
        })
    }
}
