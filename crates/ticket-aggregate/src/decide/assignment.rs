//! Whose ticket it is.

use crate::context::Context;
use crate::event::Event;
use crate::rejection::Rejection;
use crate::ticket::Ticket;
use crate::value::AssignmentMethod;
use shared_kernel::{Actor, ActorKind, AgentId, TeamId};

pub(super) fn assign(ticket: &Ticket, assignee: &AgentId, context: &Context) -> Result<Vec<Event>, Rejection> {
    if ticket.assignee.as_ref() == Some(assignee) {
        return Ok(Vec::new());
    }
    if let (Some(team), Some(teams)) = (&ticket.team, &context.assignee_teams)
        && !teams.contains(team)
    {
        return Err(Rejection::NotTeamMember { assignee: assignee.clone(), team: team.clone() });
    }
    Ok(vec![Event::AgentAssigned {
        from: ticket.assignee.clone(),
        to: assignee.clone(),
        method: method(&context.actor, assignee),
    }])
}

fn method(actor: &Actor, assignee: &AgentId) -> AssignmentMethod {
    match actor.kind() {
        ActorKind::System => AssignmentMethod::Automatic,
        _ if actor.id == assignee.as_str() => AssignmentMethod::OwnChoice,
        _ => AssignmentMethod::Manual,
    }
}

/// The actor takes the ticket.
pub(super) fn take(ticket: &Ticket, context: &Context) -> Result<Vec<Event>, Rejection> {
    let actor = &context.actor;
    let unfit = |_| Rejection::UnfitActor { role: actor.role, id: actor.id.clone() };
    let agent = AgentId::parse(&actor.id).map_err(unfit)?;
    assign(ticket, &agent, context)
}

pub(super) fn unassign(ticket: &Ticket) -> Vec<Event> {
    let unassigned = |from: AgentId| Event::AgentUnassigned { from, reason: None };
    ticket.assignee.clone().map(unassigned).into_iter().collect()
}

/// An assignee is someone in the ticket's team: in another team's queue nobody has the ticket.
pub(super) fn route(ticket: &Ticket, team: &TeamId) -> Vec<Event> {
    if ticket.team.as_ref() == Some(team) {
        return Vec::new();
    }
    let mut events = vec![Event::TeamAssigned { from: ticket.team.clone(), to: team.clone() }];
    if let Some(from) = ticket.assignee.clone() {
        events.push(Event::AgentUnassigned { from, reason: Some("routed".to_owned()) });
    }
    events
}
