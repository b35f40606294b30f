//! Whose ticket it is.

use crate::context::Context;
use crate::event::Event;
use crate::rejection::Rejection;
use crate::ticket::Ticket;
use crate::value::AssignmentMethod;
use shared_kernel::{Actor, ActorKind, AgentId, TeamId};

pub(super) fn assign(ticket: &Ticket, assignee: AgentId, context: &Context) -> Result<Vec<Event>, Rejection> {
    if ticket.assignee == Some(assignee) {
        return Ok(Vec::new());
    }
    if let (Some(team), Some(teams)) = (ticket.team, &context.assignee_teams)
        && !teams.contains(&team)
    {
        return Err(Rejection::NotTeamMember { assignee, team });
    }
    let method = method(&context.actor, assignee);
    Ok(vec![Event::AgentAssigned { from: ticket.assignee, to: assignee, method }])
}

fn method(actor: &Actor, assignee: AgentId) -> AssignmentMethod {
    match actor.kind() {
        ActorKind::System => AssignmentMethod::Automatic,
        _ if actor.agent() == Some(assignee) => AssignmentMethod::OwnChoice,
        _ => AssignmentMethod::Manual,
    }
}

pub(super) fn unassign(ticket: &Ticket) -> Vec<Event> {
    ticket.assignee.map(|from| unassigned(from, None)).into_iter().collect()
}

/// A ticket that goes on goes back to its agent if they are there, otherwise into the queue. Whoever sets their own
/// ticket going is there.
pub(super) fn release_unavailable(ticket: &Ticket, context: &Context) -> Option<Event> {
    let absent = |agent: &AgentId| !context.assignee_available && context.actor.agent() != Some(*agent);
    ticket.assignee.filter(absent).map(|from| unassigned(from, Some("unavailable")))
}

/// An assignee is someone in the ticket's team: in another team's queue nobody has the ticket.
pub(super) fn route(ticket: &Ticket, team: TeamId) -> Vec<Event> {
    if ticket.team == Some(team) {
        return Vec::new();
    }
    let moved = Event::TeamAssigned { from: ticket.team, to: team };
    [moved].into_iter().chain(ticket.assignee.map(|from| unassigned(from, Some("routed")))).collect()
}

fn unassigned(from: AgentId, reason: Option<&str>) -> Event {
    Event::AgentUnassigned { from, reason: reason.map(str::to_owned) }
}
