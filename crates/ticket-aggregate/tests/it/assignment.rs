//! Whose ticket it is.

use ticket_aggregate::{AssignmentMethod, Command, Context, Event, Rejection};

use crate::scenario::{ada, agent, assigned, given, lead, opened, pended, resolved, system, team};

fn assign(to: &str) -> Command {
    Command::Assign { assignee: agent(to) }
}
fn in_teams(teams: &[&str], context: Context) -> Context {
    Context { assignee_teams: Some(teams.iter().map(|it| team(it)).collect()), ..context }
}
fn given_to(from: Option<&str>, to: &str, method: AssignmentMethod) -> Event {
    Event::AgentAssigned { from: from.map(agent), to: agent(to), method }
}
fn unassigned(from: &str, reason: Option<&str>) -> Event {
    Event::AgentUnassigned { from: agent(from), reason: reason.map(str::to_owned) }
}

#[test]
fn an_agent_takes_a_ticket_and_it_is_open() {
    let taken = given([opened()]).when(assign("ada"), ada()).then([given_to(None, "ada", AssignmentMethod::OwnChoice)]);
    taken
        .when(Command::Hold { reason: "a part".to_owned(), wake_at: None }, ada())
        .then([Event::TicketPutOnHold { reason: Some("a part".to_owned()), wake_at: None }]);
}

#[test]
fn an_agent_takes_a_ticket_from_another() {
    given([opened(), assigned("bob")]).when(assign("ada"), ada()).then([given_to(
        Some("bob"),
        "ada",
        AssignmentMethod::OwnChoice,
    )]);
}

#[test]
fn an_agent_may_not_assign_others() {
    let refusal = Rejection::AssignOthers { agent: agent("bob") };
    given([opened()]).when(assign("bob"), ada()).then_rejected(refusal.clone());
    given([opened(), assigned("bob")]).when(Command::Unassign, ada()).then_rejected(refusal);
}

#[test]
fn a_lead_and_a_policy_may() {
    given([opened()]).when(assign("ada"), lead()).then([given_to(None, "ada", AssignmentMethod::Manual)]);
    given([opened()]).when(assign("ada"), system()).then([given_to(None, "ada", AssignmentMethod::Automatic)]);
    given([opened(), assigned("ada")]).when(Command::Unassign, lead()).then([unassigned("ada", None)]);
}

#[test]
fn the_same_agent_again_changes_nothing() {
    let stranger = in_teams(&[], ada());
    given([opened(), assigned("ada")]).when(assign("ada"), stranger).then_nothing();
}

#[test]
fn an_assignee_is_a_member_of_the_tickets_team() {
    let refusal = Rejection::NotTeamMember { assignee: agent("ada"), team: team("hardware") };
    let taken = || [given_to(None, "ada", AssignmentMethod::OwnChoice)];
    given([opened()]).when(assign("ada"), in_teams(&["network"], ada())).then_rejected(refusal);
    given([opened()]).when(assign("ada"), in_teams(&["hardware"], ada())).then(taken());
    // whom the directory does not know, nobody can check
    given([opened()]).when(assign("ada"), ada()).then(taken());
}

#[test]
fn assigning_leaves_a_waiting_or_resolved_ticket_as_it_is() {
    for event in [pended(), resolved()] {
        let taken = given_to(None, "ada", AssignmentMethod::OwnChoice);
        given([opened(), event]).when(assign("ada"), ada()).then([taken]);
    }
}

#[test]
fn an_agent_gives_their_ticket_back() {
    given([opened(), assigned("ada")]).when(Command::Unassign, ada()).then([unassigned("ada", None)]);
    given([opened()]).when(Command::Unassign, ada()).then_nothing();
}

#[test]
fn routing_takes_the_ticket_from_its_agent() {
    let route = |to: &str| Command::Route { team: team(to) };
    let moved = Event::TeamAssigned { from: Some(team("hardware")), to: team("network") };
    given([opened()]).when(route("network"), ada()).then([moved.clone()]);
    given([opened(), assigned("bob")]).when(route("network"), ada()).then([moved, unassigned("bob", Some("routed"))]);
    given([opened(), assigned("bob")]).when(route("hardware"), ada()).then_nothing();
}
