//! The way of a command: load → fold → decide → append.
//!
//! What is kept in memory may be stale. An append proves it current by its expected version; any
//! other end (a refusal, nothing to do) is only believed after reading what came since.

mod decision;
mod outcome;

use std::sync::Arc;

use eventstore::{AppendError, Outcome, Position, Version};
use ticket_aggregate::{Command, Rejection, RejectionKind};
use tracing::Instrument;

use crate::cache::Slot;
use crate::folded::stream_of;
use crate::{Desk, DeskError, Precondition, Request, VersionedTicket};
use decision::Decision;

/// The stream type of tickets.
const TICKET: eventstore::StreamType = eventstore::StreamType::from_static("ticket");

/// How often a command is decided anew because others changed the ticket in between. Only other
/// processes can: within one, commands to a ticket take turns.
const ATTEMPTS: usize = 32;

/// How many of the events are told to whoever expected an older version.
const BETWEEN: usize = 200;

/// What a command came to.
#[derive(Clone, Debug)]
pub struct CommandOutcome {
    /// The ticket after it: the one commanded, or the follow-up that was opened instead.
    pub ticket: Arc<VersionedTicket>,
    /// The position of the ticket's last event then.
    pub position: Position,
    /// How many events it recorded.
    pub events: usize,
    /// The status that was answered the first time, if this repeats that answer.
    pub replayed: Option<i16>,
}

/// How an attempt ended that is not to be believed, because what it was made on may be stale.
enum Attempt {
    CommandOutcome(CommandOutcome),
    /// The end, if what was known is fresh.
    Refused(DeskError),
    /// Somebody else was faster.
    Conflict,
}

impl Desk {
    /// Executes a request. The answer comes once its events are committed.
    pub async fn execute(&self, request: Request) -> Result<CommandOutcome, DeskError> {
        let command = request.commands.first().map_or("", |command| command.kind().as_str());
        let span = tracing::info_span!("execute", command, ticket = %request.ticket);
        self.execute_with_retries(request).instrument(span).await
    }

    async fn execute_with_retries(&self, mut request: Request) -> Result<CommandOutcome, DeskError> {
        if let Some(Command::Open(_)) = request.commands.first() {
            return self.open(&mut request).await;
        }
        let slot = self.cache.slot(request.ticket);
        let turn = slot.turn.lock().await;
        let mut known = slot.get();
        let mut fresh = known.is_none();
        if fresh {
            known = self.refreshed(request.ticket, None).await?;
        }
        for _ in 0..ATTEMPTS {
            match self.attempt(&mut request, known.as_ref(), fresh, &slot).await? {
                Attempt::CommandOutcome(done) => return Ok(done),
                Attempt::Refused(DeskError::Rejected(Rejection::FollowUpNeeded { .. }))
                    if fresh && request.may_open_follow_up && request.commands.len() == 1 =>
                {
                    drop(turn);
                    return self.follow_up(request, known).await;
                }
                Attempt::Refused(error) if fresh => return Err(error),
                Attempt::Refused(_) | Attempt::Conflict => {}
            }
            known = self.refreshed(request.ticket, known).await?;
            fresh = true;
            if let Some(folded) = &known {
                self.cache.keep(&slot, folded);
            }
        }
        Err(DeskError::Contended)
    }

    /// All that comes before the request's content: whether there is a ticket for the caller, whether
    /// they may, whether this is a repetition, whether the ticket is at the right version. For a
    /// caller who already knows that the content is bad, and wants to name what goes before that. Commands
    /// may be missing from the request: then their kind alone is asked for.
    pub async fn check(
        &self,
        request: &Request,
        kind: ticket_aggregate::CommandKind,
    ) -> Result<Option<CommandOutcome>, DeskError> {
        let folded = self.current(request.ticket).await?.filter(|f| request.caller.may_see(&f.ticket));
        let folded = folded.ok_or(DeskError::NotFound)?;
        if !kind.is_open_to(request.caller.role) {
            let refusal = Rejection::Forbidden { command: kind, role: request.caller.role };
            return Err(DeskError::Rejected(refusal));
        }
        if let Some(done) = self.repeated(request).await? {
            return Ok(Some(done));
        }
        // what a repetition did may be the very reason why it may not be done again
        if let Some(refusal) = decision::not_permitted(request, Some(kind), &folded) {
            return Err(DeskError::Rejected(refusal));
        }
        self.precondition(request, &folded).await?;
        Ok(None)
    }

    async fn attempt(
        &self,
        request: &mut Request,
        known: Option<&Arc<VersionedTicket>>,
        fresh: bool,
        slot: &Arc<Slot>,
    ) -> Result<Attempt, DeskError> {
        let Some(known) = known.filter(|k| request.caller.may_see(&k.ticket)) else {
            return match self.repeated(request).await {
                // what took the ticket out of the caller's sight can be repeated like anything else
                Ok(Some(done)) if fresh => Ok(Attempt::CommandOutcome(done)),
                Ok(_) => Ok(Attempt::Refused(DeskError::NotFound)),
                Err(error) => Err(error),
            };
        };
        if let Some(refusal) = decision::forbidden(request) {
            return Ok(Attempt::Refused(DeskError::Rejected(refusal)));
        }
        let decision = if let Some(refusal) = decision::not_permitted(request, None, known) {
            Err(DeskError::Rejected(refusal))
        } else if request.precondition.holds(known.version) {
            self.decide(request, known).await
        } else {
            Err(DeskError::PreconditionFailed { current: known.version, between: Vec::new(), more: None })
        };
        let decision = match decision {
            Ok(decision) if decision.is_empty() && request.idempotency.is_none() && !fresh => {
                return Ok(Attempt::Conflict);
            }
            Ok(decision) if decision.is_empty() && request.idempotency.is_none() => {
                return Ok(Attempt::CommandOutcome(outcome::without_effect(known)));
            }
            Ok(decision) => decision,
            // a fault of the database is none of the rules': it is not decided again
            Err(fault @ (DeskError::Store(_) | DeskError::Corrupt { .. })) => return Err(fault),
            Err(error) if !fresh => return Ok(Attempt::Refused(error)),
            Err(error) => return self.refuse(request, known, error).await,
        };
        match self.append(request, decision, known, slot).await {
            Ok(done) => Ok(Attempt::CommandOutcome(done)),
            Err(DeskError::Append(AppendError::Conflict { .. })) => Ok(Attempt::Conflict),
            Err(error) => Err(error),
        }
    }

    /// A refusal stands, unless the request is a repetition of one that did succeed.
    async fn refuse(&self, request: &Request, known: &VersionedTicket, error: DeskError) -> Result<Attempt, DeskError> {
        if let Some(done) = self.repeated(request).await? {
            return Ok(Attempt::CommandOutcome(done));
        }
        // 403 goes before 412, and 412 before what the state refuses
        if !matches!(&error, DeskError::Rejected(refusal) if refusal.kind() == RejectionKind::Forbidden) {
            self.precondition(request, known).await?;
        }
        Ok(Attempt::Refused(error))
    }

    async fn append(
        &self,
        request: &mut Request,
        decision: Decision,
        known: &Arc<VersionedTicket>,
        slot: &Arc<Slot>,
    ) -> Result<CommandOutcome, DeskError> {
        let command_id = (request.new_id)();
        let unit = decision.unit(request, known.version, command_id)?;
        match self.store.append(unit).await.map_err(DeskError::Append)? {
            Outcome::Replayed(receipt) => self.replay(request, &receipt).await,
            Outcome::Appended(appended) => {
                let done = outcome::appended(&decision, request.ticket, Some(known), &appended);
                let done = done.ok_or(DeskError::NotFound)?;
                self.cache.keep(slot, &done.ticket);
                self.keep_snapshot(known.version, &done.ticket);
                Ok(done)
            }
        }
    }

    async fn precondition(&self, request: &Request, known: &VersionedTicket) -> Result<(), DeskError> {
        let Precondition::OneOf(versions) = &request.precondition else { return Ok(()) };
        if versions.contains(&known.version) {
            return Ok(());
        }
        // of the versions that the caller knows, the newest that was there
        let newest = versions.iter().copied().filter(|v| *v < known.version).max();
        let (ticket, caller) = (request.ticket, &request.caller);
        let (current, between, more) = match newest {
            Some(version) => {
                let (folded, between, more) = self.history_page(ticket, caller, version, BETWEEN, |_| true).await?;
                (folded.version, between, more)
            }
            None => (known.version, Vec::new(), None),
        };
        Err(DeskError::PreconditionFailed { current, between, more })
    }
}

/// The version that a ticket's stream must be at.
pub(crate) fn exact(ticket: ticket_aggregate::TicketId, version: Version) -> eventstore::Append {
    let expected = eventstore::Expected::Exact(version);
    eventstore::Append::new(TICKET, stream_of(ticket), expected, Vec::new())
}
