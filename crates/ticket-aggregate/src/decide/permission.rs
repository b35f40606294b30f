//! Whether this actor may do such a thing to this ticket, whatever its status.

use crate::command::{Command, CommandKind, Open};
use crate::rejection::Rejection;
use crate::table;
use crate::ticket::Ticket;
use crate::value::{Channel, Priority};
use shared_kernel::{Actor, ActorKind, Role};

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
    // without a wildcard arm: a new role has no right that nobody gave it
    match actor.role {
        Role::Requester => acts_on_own(ticket, kind, actor),
        Role::Agent => disposes_of_themselves(ticket, kind, command, actor),
        Role::Lead | Role::Admin | Role::System => Ok(()),
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
        Some(requester) if !actor.is(*requester) => return Err(Rejection::OpenForAnother),
        _ => {}
    }
    // a follow-up takes over what staff had set on the closed ticket
    match reserved_for_staff(open) {
        Some(field) if open.follow_up_of.is_none() => Err(Rejection::ReservedForStaff { field }),
        _ => Ok(()),
    }
}

/// What of an opening only staff may set, if it is set.
fn reserved_for_staff(open: &Open) -> Option<&'static str> {
    let set = [
        ("priority", open.priority != Priority::default()),
        ("team", open.team.is_some()),
        ("category", open.category.is_some()),
        ("tags", !open.tags.is_empty()),
        ("channel", open.channel != Channel::default()),
    ];
    set.into_iter().find_map(|(field, set)| set.then_some(field))
}

fn acts_on_own(ticket: Option<&Ticket>, kind: CommandKind, actor: &Actor) -> Result<(), Rejection> {
    let Some(ticket) = ticket else {
        return Ok(());
    };
    let follows = || kind == CommandKind::Reply && ticket.is_followed_by(actor);
    if ticket.is_requested_by(actor) || follows() { Ok(()) } else { Err(Rejection::NotOwnTicket) }
}

/// Plain agents take tickets and give back their own; to dispose of others is a lead's right.
fn disposes_of_themselves(
    ticket: Option<&Ticket>,
    kind: CommandKind,
    command: Option<&Command>,
    actor: &Actor,
) -> Result<(), Rejection> {
    let subject = match (kind, command) {
        (_, Some(Command::Assign { assignee })) => Some(*assignee),
        (CommandKind::Unassign, _) => ticket.and_then(|ticket| ticket.assignee),
        _ => None,
    };
    match subject {
        Some(agent) if actor.agent() != Some(agent) => Err(Rejection::AssignOthers { agent }),
        _ => Ok(()),
    }
}
