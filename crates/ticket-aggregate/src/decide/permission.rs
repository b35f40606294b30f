//! Whether this actor may do such a thing to this ticket, whatever its status.

use crate::actor::{Actor, ActorKind, Role};
use crate::command::{Command, CommandKind, Open};
use crate::rejection::Rejection;
use crate::table;
use crate::ticket::Ticket;
use crate::value::AgentId;

pub(super) fn check(ticket: Option<&Ticket>, command: &Command, actor: &Actor) -> Result<(), Rejection> {
    match (actor.kind(), command) {
        (ActorKind::Requester, Command::Open(open)) => {
            role(command.kind(), actor)?;
            opens_for_themselves(open, actor)
        }
        _ => on(ticket, command.kind(), Some(command), actor),
    }
}

/// Whether the actor may do such a thing to the ticket, as far as that is known of a command of which more than its kind
/// may not be.
pub(super) fn on(
    ticket: Option<&Ticket>,
    kind: CommandKind,
    command: Option<&Command>,
    actor: &Actor,
) -> Result<(), Rejection> {
    role(kind, actor)?;
    match actor.kind() {
        ActorKind::Requester => acts_on_own(ticket, kind, actor),
        _ if actor.role == Role::Agent => disposes_of_themselves(ticket, kind, command, actor),
        _ => Ok(()),
    }
}

fn role(kind: CommandKind, actor: &Actor) -> Result<(), Rejection> {
    if table::may_ever(actor.role, kind) {
        return Ok(());
    }
    Err(Rejection::Forbidden { command: kind, role: actor.role })
}

fn opens_for_themselves(open: &Open, actor: &Actor) -> Result<(), Rejection> {
    match &open.requester {
        Some(requester) if !requester.is(&actor.id) => Err(Rejection::OpenForAnother),
        _ => Ok(()),
    }
}

fn acts_on_own(ticket: Option<&Ticket>, kind: CommandKind, actor: &Actor) -> Result<(), Rejection> {
    let Some(ticket) = ticket else {
        return Ok(());
    };
    let follows = || kind == CommandKind::Reply && ticket.is_followed_by(&actor.id);
    if ticket.is_requested_by(&actor.id) || follows() { Ok(()) } else { Err(Rejection::NotOwnTicket) }
}

/// Plain agents take tickets and give back their own; to dispose of others is a lead's right.
fn disposes_of_themselves(
    ticket: Option<&Ticket>,
    kind: CommandKind,
    command: Option<&Command>,
    actor: &Actor,
) -> Result<(), Rejection> {
    let subject: Option<&AgentId> = match (kind, command) {
        (_, Some(Command::Assign { assignee })) => Some(assignee),
        (CommandKind::Unassign, _) => ticket.and_then(|ticket| ticket.assignee.as_ref()),
        _ => None,
    };
    match subject {
        Some(agent) if agent.as_str() != actor.id => Err(Rejection::AssignOthers { agent: agent.clone() }),
        _ => Ok(()),
    }
}
