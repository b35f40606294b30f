//! What the rules make of a request, and the unit that records it.

use shared_kernel::{Aggregate, codec};
use std::sync::Arc;

use eventstore::{Alias, CommandId, Metadata, NewEvent, ReceiptKey, Unit, Version};
use serde_json::{Map, json};
use ticket_aggregate::{
    Command, CommandKind, Context, Event, LinkKind, MessageId, Rejection, Status, Ticket, TicketId, permitted,
};

use super::exact;
use crate::folded::{stamp, stream_of};
use crate::{Desk, DeskError, Request, VersionedTicket};

/// The events that a request records, and when they happened.
pub(super) struct Decision {
    pub(super) events: Vec<Event>,
    pub(super) now: chrono::DateTime<chrono::Utc>,
    /// The other side of a link: its version, and its own events.
    pub(super) other: Option<(TicketId, Version, Vec<Event>)>,
    /// Other tickets that must still be at the version on which it was decided.
    pub(super) demands: Vec<(TicketId, Version)>,
    /// Names that the ticket takes.
    pub(super) aliases: Vec<Alias>,
}

/// What the ticket as it stands forbids the caller, whatever its status. Of several commands the first one is asked for:
/// the others meet what it leaves.
pub(super) fn not_permitted(
    request: &Request,
    kind: Option<CommandKind>,
    known: &VersionedTicket,
) -> Option<Rejection> {
    let command = request.commands.first();
    let kind = command.map(Command::kind).or(kind)?;
    permitted(&known.ticket, kind, command, &request.caller.actor()).err()
}

/// A command that the caller's role may not issue in any state.
pub(super) fn forbidden(request: &Request) -> Option<Rejection> {
    let role = request.caller.role;
    let command = request.commands.iter().map(Command::kind).find(|kind| !kind.is_open_to(role))?;
    Some(Rejection::Forbidden { command, role })
}

impl Desk {
    /// Decides all commands, each on the state that the one before it leaves.
    pub(super) async fn decide(
        &self,
        request: &mut Request,
        known: &Arc<VersionedTicket>,
    ) -> Result<Decision, DeskError> {
        // a clock that lags behind another process's must not make time run backwards
        let now = request.now.max(known.ticket.updated_at);
        let mut decision = Decision::at(now);
        let mut state: Option<Ticket> = Some(known.ticket.clone());
        for index in 0..request.commands.len() {
            let (context, demands) = self.context(request, index, state.as_ref(), now).await?;
            decision.demands.extend(demands);
            let command = &request.commands[index];
            let events = Ticket::decide(state.as_ref(), command, &context).map_err(DeskError::Rejected)?;
            if let (Command::Link { kind, other } | Command::Unlink { kind, other }, false) =
                (command, events.is_empty())
            {
                let (there, back) = self.other_side(request, command, *kind, *other, &context).await?;
                // one unit, one time: not before the last event of either
                decision.now = decision.now.max(there.ticket.updated_at);
                decision.other = Some((*other, there.version, back));
            }
            for event in events {
                let version = Version(known.version.0 + i64::try_from(decision.events.len()).unwrap_or(i64::MAX) + 1);
                state = Ticket::evolve(state, &event, &stamp(version, now));
                decision.events.push(event);
            }
        }
        Ok(decision)
    }

    /// The facts that a command needs and that are not in its ticket's own stream; and the versions of other
    /// tickets from which they were taken.
    pub(super) async fn context(
        &self,
        request: &mut Request,
        index: usize,
        state: Option<&Ticket>,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<(Context, Vec<(TicketId, Version)>), DeskError> {
        let mut demands = Vec::new();
        let mut context = Context {
            now,
            actor: request.caller.actor(),
            ticket_id: request.ticket,
            message_id: MessageId((request.new_id)()),
            reopen_window: self.policy.reopen_window,
            reopen_until: request.reopen_until,
            assignee_teams: None,
            open_blockers: Vec::new(),
        };
        let Some(ticket) = state else { return Ok((context, demands)) };
        let assignee = match &request.commands[index] {
            Command::Assign { assignee } => Some(assignee.as_str()),
            Command::Resolve { .. } if ticket.assignee.is_none() => Some(context.actor.id.as_str()),
            _ => None,
        };
        if let (Some(agent), Some(_)) = (assignee, &ticket.team) {
            context.assignee_teams = self.keys.teams_of(agent).await?;
        }
        if let Command::Resolve { .. } = &request.commands[index] {
            for blocker in ticket.blocked_by() {
                let Some(there) = self.current(blocker).await? else { continue };
                demands.push((blocker, there.version));
                if !matches!(there.ticket.status, Status::Resolved | Status::Closed) {
                    context.open_blockers.push(blocker);
                }
            }
        }
        Ok((context, demands))
    }

    /// A link is recorded on both tickets, in one unit.
    async fn other_side(
        &self,
        request: &Request,
        command: &Command,
        kind: LinkKind,
        other: TicketId,
        context: &Context,
    ) -> Result<(Arc<VersionedTicket>, Vec<Event>), DeskError> {
        let there = self.current(other).await?.filter(|f| request.caller.may_see(&f.ticket));
        let there = there.ok_or(DeskError::OtherNotFound)?;
        let back = match command {
            Command::Unlink { .. } => Command::Unlink { kind: kind.inverse(), other: request.ticket },
            _ => Command::Link { kind: kind.inverse(), other: request.ticket },
        };
        let context = Context { ticket_id: other, now: context.now.max(there.ticket.updated_at), ..context.clone() };
        let events = Ticket::decide(Some(&there.ticket), &back, &context).map_err(DeskError::Rejected)?;
        Ok((there, events))
    }
}

impl Decision {
    pub(super) fn at(now: chrono::DateTime<chrono::Utc>) -> Self {
        Self { events: Vec::new(), now, other: None, demands: Vec::new(), aliases: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.other.as_ref().is_none_or(|(_, _, events)| events.is_empty())
    }

    /// The unit that records it, on a ticket at that version.
    pub(super) fn unit(&self, request: &Request, version: Version, command_id: uuid::Uuid) -> Result<Unit, DeskError> {
        let mut own = exact(request.ticket, version);
        own.events = self.encode(&self.events)?;
        let mut unit = Unit::new(metadata(request, command_id)).append(own);
        if let Some((other, version, events)) = &self.other {
            let mut back = exact(*other, *version);
            back.events = self.encode(events)?;
            unit = if back.events.is_empty() { unit.demand(back.stream_id, *version) } else { unit.append(back) };
        }
        for (ticket, version) in &self.demands {
            unit = unit.demand(stream_of(*ticket), *version);
        }
        if let Some(idempotency) = &request.idempotency {
            let (key, fingerprint) = (idempotency.key.clone(), idempotency.fingerprint.clone());
            unit = unit.receipt(ReceiptKey::new(&request.caller.scope, key, fingerprint, idempotency.status));
        }
        for alias in &self.aliases {
            unit = unit.take_alias(&alias.scope, &alias.name, alias.stream_id);
        }
        Ok(unit)
    }

    fn encode(&self, events: &[Event]) -> Result<Vec<NewEvent>, DeskError> {
        events
            .iter()
            .map(|event| {
                let encoded = codec::encode(event)?;
                Ok(NewEvent {
                    event_type: encoded.event_type.into(),
                    schema_version: encoded.schema_version,
                    payload: encoded.payload,
                    occurred_at: self.now,
                })
            })
            .collect()
    }
}

fn metadata(request: &Request, command_id: uuid::Uuid) -> Metadata {
    let mut extra = Map::new();
    extra.insert("actor".into(), json!(request.caller.actor()));
    if let Some(cause) = &request.cause {
        extra.insert("cause".into(), cause.clone());
    }
    if let Some(id) = &request.correlation_id {
        extra.insert("correlation_id".into(), json!(id));
    }
    Metadata { command_id: CommandId(command_id), traceparent: request.traceparent.clone(), extra }
}
