//! Whether this actor may do such a thing to this ticket, whatever its status.

use crate::actor::{Actor, ActorKind, Role};
use crate::command::{Command, Open};
use crate::refusal::Refusal;
use crate::table;
use crate::ticket::Ticket;
use crate::value::AgentId;

pub(super) fn check(ticket: Option<&Ticket>, command: &Command, actor: &Actor) -> Result<(), Refusal> {
    let kind = command.kind();
    if !table::may_ever(actor.role, kind) {
        return Err(Refusal::Forbidden { command: kind, role: actor.role });
    }
    match (actor.kind(), command) {
        (ActorKind::Requester, Command::Open(open)) => opens_for_themselves(open, actor),
        (ActorKind::Requester, _) => acts_on_own(ticket, command, actor),
        _ if actor.role == Role::Agent => disposes_of_themselves(ticket, command, actor),
        _ => Ok(()),
    }
}

fn opens_for_themselves(open: &Open, actor: &Actor) -> Result<(), Refusal> {
    match &open.requester {
        Some(requester) if !requester.is(&actor.id) => Err(Refusal::OpenForAnother),
        _ => Ok(()),
    }
}

fn acts_on_own(ticket: Option<&Ticket>, command: &Command, actor: &Actor) -> Result<(), Refusal> {
    let Some(ticket) = ticket else {
        return Ok(());
    };
    let follows = || matches!(command, Command::Reply { .. }) && ticket.is_followed_by(&actor.id);
    if ticket.is_requested_by(&actor.id) || follows() { Ok(()) } else { Err(Refusal::NotOwnTicket) }
}

/// Plain agents take tickets and give back their own; to dispose of others is a lead's right.
fn disposes_of_themselves(ticket: Option<&Ticket>, command: &Command, actor: &Actor) -> Result<(), Refusal> {
    let subject: Option<&AgentId> = match command {
        Command::Assign { assignee } => Some(assignee),
        Command::Unassign => ticket.and_then(|ticket| ticket.assignee.as_ref()),
        _ => None,
    };
    match subject {
        Some(agent) if agent.as_str() != actor.id => Err(Refusal::AssignOthers { agent: agent.clone() }),
        _ => Ok(()),
    }
}
