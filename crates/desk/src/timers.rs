//! What a timer does to a ticket (docs/adr/0039).

use chrono::{DateTime, Utc};
use eventsourcing::AsOf;
use eventsourcing::timers::{Outcome, Timer};
use eventstore::{AppendError, StoreError};
use serde_json::json;
use sha2::{Digest, Sha256};
use shared_kernel::{Actor, Aggregate, Principal, StreamVersion};
use ticket_aggregate::{Command, DueKind, Ticket, TicketId};
use uuid::Uuid;

use crate::{Call, Desk, DeskError, Idempotency, Request};

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
        match self.fire_command(timer, command, now, new_id).await {
            Ok(outcome) => outcome,
            Err(error) if is_unavailable(&error) => Outcome::Unavailable { reason: error.to_string() },
            Err(DeskError::Rejected { rejection, .. }) => Outcome::Refused { reason: rejection.to_string() },
            Err(error) => Outcome::Failed { reason: error.to_string() },
        }
    }

    async fn fire_command(
        &self,
        timer: &Timer,
        command: Command,
        now: DateTime<Utc>,
        new_id: impl FnMut() -> Uuid + Send + Sync + 'static,
    ) -> Result<Outcome, DeskError> {
        let id = TicketId(timer.stream.0);
        // the database's clock has said that it is due; this process's may be behind
        let mut call = Call::new(principal(), now.max(timer.due_at), new_id);
        let key = timer.key();
        call.idempotency = Some(Idempotency { fingerprint: Sha256::digest(&key).to_vec(), key, status: DONE });
        call.cause = Some(json!({"kind": "timer", "id": timer.kind, "set_by": timer.set_by}));
        match self.execute(Request::new(id, vec![command], call)).await {
            Ok(done) => Ok(Outcome::Fired { position: done.position }),
            Err(error @ DeskError::Rejected { .. }) => self.superseded(id, timer).await?.ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// `None`: the timer is in force, and was refused for another reason.
    async fn superseded(&self, id: TicketId, timer: &Timer) -> Result<Option<Outcome>, DeskError> {
        let ticket = self.ticket(id, AsOf::Now, &principal()).await?;
        let in_force = ticket.state.timer_set_by == Some(StreamVersion(timer.set_by.0));
        Ok((!in_force).then_some(Outcome::Superseded { position: ticket.position }))
    }
}

/// The command that names the version which set the timer: the rules refuse it when another one is in force.
fn command(timer: &Timer) -> Option<Command> {
    if timer.stream_type.as_str() != Ticket::TYPE {
        return None;
    }
    let set_by = StreamVersion(timer.set_by.0);
    match timer.kind.parse().ok()? {
        DueKind::Wake => Some(Command::Wake { set_by }),
        DueKind::Close => Some(Command::AutoClose { set_by }),
    }
}

fn principal() -> Principal {
    Principal::new(Actor::system(TIMERS))
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
