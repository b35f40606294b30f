//! What a timer does to a ticket (docs/adr/0035).

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use eventsourcing::AsOf;
use eventsourcing::timers::{Outcome, Timer};
use eventstore::{AppendError, StoreError};
use serde_json::json;
use sha2::{Digest, Sha256};
use shared_kernel::{Principal, Role};
use ticket_aggregate::{Command, Status, Ticket, TicketId};
use uuid::Uuid;

use crate::{Desk, DeskError, Idempotency, Request};

/// The name under which timers act.
const TIMERS: &str = "timers";
/// What receipts of timers hold as the answer.
const DONE: i16 = 200;

impl Desk {
    /// Issues the command of a timer that is due. However often and by however many processes that is done, the command is
    /// executed once.
    pub async fn fire_timer(
        &self,
        timer: &Timer,
        now: DateTime<Utc>,
        new_id: impl FnMut() -> Uuid + Send + Sync + 'static,
    ) -> Outcome {
        let Some(command) = command(timer) else {
            return Outcome::Failed { reason: format!("no command for {} of a {}", timer.kind, timer.stream_type) };
        };
        match self.fire_if_in_force(timer, command, now, new_id).await {
            Ok(outcome) => outcome,
            Err(error) if is_unavailable(&error) => Outcome::Unavailable { reason: error.to_string() },
            Err(DeskError::Rejected { rejection, .. }) => Outcome::Refused { reason: rejection.to_string() },
            Err(error) => Outcome::Failed { reason: error.to_string() },
        }
    }

    async fn fire_if_in_force(
        &self,
        timer: &Timer,
        command: Command,
        now: DateTime<Utc>,
        new_id: impl FnMut() -> Uuid + Send + Sync + 'static,
    ) -> Result<Outcome, DeskError> {
        let id = TicketId(timer.stream.0);
        if let Some(superseded) = self.superseded(id, timer).await? {
            return Ok(superseded);
        }
        // the database's clock has said that it is due; this process's may be behind
        let mut request = Request::new(id, vec![command], principal(), now.max(timer.due_at), new_id);
        let key = timer.key();
        request.idempotency = Some(Idempotency { fingerprint: Sha256::digest(&key).to_vec(), key, status: DONE });
        request.cause = Some(json!({"kind": "timer", "id": timer.kind, "set_by": timer.set_by}));
        match self.execute(request).await {
            Ok(done) => Ok(Outcome::Fired { position: done.position }),
            // somebody may have been faster
            Err(error @ DeskError::Rejected { .. }) => self.superseded(id, timer).await?.ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// `None`: the timer is in force.
    async fn superseded(&self, id: TicketId, timer: &Timer) -> Result<Option<Outcome>, DeskError> {
        let ticket = self.ticket(id, AsOf::Now, &principal()).await?;
        let superseded = Outcome::Superseded { position: ticket.position };
        Ok((!is_in_force(&ticket.state, timer)).then_some(superseded))
    }
}

/// Whether the ticket still waits for this very timer.
fn is_in_force(ticket: &Ticket, timer: &Timer) -> bool {
    let due_at = match (timer.kind.as_str(), ticket.status) {
        ("wake", Status::OnHold) => ticket.wake_at,
        ("close", Status::Resolved) => ticket.reopen_until,
        _ => None,
    };
    // the read model keeps microseconds
    due_at.is_some_and(|due_at| (timer.due_at - due_at).abs() < TimeDelta::microseconds(1))
}

fn command(timer: &Timer) -> Option<Command> {
    match (timer.stream_type.as_str(), timer.kind.as_str()) {
        ("ticket", "wake") => Some(Command::Wake),
        ("ticket", "close") => Some(Command::Close),
        _ => None,
    }
}

fn principal() -> Principal {
    Principal { scope: TIMERS.into(), role: Role::System, id: TIMERS.into(), name: None, teams: BTreeSet::new() }
}

/// Whether an error says nothing of the timer: others would meet it, too.
fn is_unavailable(error: &DeskError) -> bool {
    let DeskError::Append(error) = error else {
        return matches!(error, DeskError::Store(StoreError::Unavailable(_)));
    };
    matches!(
        error,
        AppendError::Overloaded
            | AppendError::Closed
            | AppendError::OutcomeUnknown(_)
            | AppendError::Store(StoreError::Unavailable(_))
    )
}
