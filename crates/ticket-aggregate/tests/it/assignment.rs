//! Whose ticket it is.

use shared_kernel::testing::staff;
use shared_kernel::{Role, StreamVersion};
use ticket_aggregate::{AssignmentMethod, ClosedReason, Command, Context, Event, Rejection, Trigger};

use crate::scenario::{
    absent, ada, agent, assigned, at, context, given, hour, lead, message, message_id, on_hold, opened, pended,
    reopened, requester_replied, resolved, resumed, rita, system, team, text, ticket, unassigned,
};

fn assign(to: &str) -> Command {
    Command::Assign { assignee: agent(to) }
}
fn in_teams(teams: &[&str], context: Context) -> Context {
    Context { assignee_teams: Some(teams.iter().map(|it| team(it)).collect()), ..context }
}
fn given_to(from: Option<&str>, to: &str, method: AssignmentMethod) -> Event {
    Event::AgentAssigned { from: from.map(agent), to: agent(to), method }
}

#[test]
fn assign_to_self_opens_ticket() {
    let taken = given([opened()]).when(assign("ada"), ada()).then([given_to(None, "ada", AssignmentMethod::OwnChoice)]);
    taken
        .when(Command::Hold { reason: "a part".to_owned(), wake_at: None }, ada())
        .then([Event::TicketPutOnHold { reason: Some("a part".to_owned()), wake_at: None }]);
}

#[test]
fn assign_takes_from_other_agent() {
    given([opened(), assigned("bob")]).when(assign("ada"), ada()).then([given_to(
        Some("bob"),
        "ada",
        AssignmentMethod::OwnChoice,
    )]);
}

#[test]
fn assign_others_needs_lead() {
    let refusal = Rejection::AssignOthers { agent: agent("bob") };
    given([opened()]).when(assign("bob"), ada()).then_rejected(refusal.clone());
    given([opened(), assigned("bob")]).when(Command::Unassign, ada()).then_rejected(refusal);
}

#[test]
fn assign_by_lead_and_system() {
    given([opened()]).when(assign("ada"), lead()).then([given_to(None, "ada", AssignmentMethod::Manual)]);
    given([opened()]).when(assign("ada"), system()).then([given_to(None, "ada", AssignmentMethod::Automatic)]);
    given([opened(), assigned("ada")]).when(Command::Unassign, lead()).then([unassigned("ada", None)]);
}

#[test]
fn assign_same_agent_is_no_change() {
    let stranger = in_teams(&[], ada());
    given([opened(), assigned("ada")]).when(assign("ada"), stranger).then_nothing();
}

#[test]
fn assign_requires_team_member() {
    let refusal = Rejection::NotTeamMember { assignee: agent("ada"), team: team("hardware") };
    let taken = || [given_to(None, "ada", AssignmentMethod::OwnChoice)];
    given([opened()]).when(assign("ada"), in_teams(&["network"], ada())).then_rejected(refusal);
    given([opened()]).when(assign("ada"), in_teams(&["hardware"], ada())).then(taken());
    // unknown teams are not checked
    given([opened()]).when(assign("ada"), ada()).then(taken());
}

#[test]
fn assign_keeps_waiting_status() {
    for event in [pended(), resolved()] {
        let taken = given_to(None, "ada", AssignmentMethod::OwnChoice);
        given([opened(), event]).when(assign("ada"), ada()).then([taken]);
    }
}

#[test]
fn unassign_own_ticket() {
    given([opened(), assigned("ada")]).when(Command::Unassign, ada()).then([unassigned("ada", None)]);
    given([opened()]).when(Command::Unassign, ada()).then_nothing();
}

#[test]
fn route_unassigns() {
    let route = |to: &str| Command::Route { team: team(to) };
    let moved = Event::TeamAssigned { from: Some(team("hardware")), to: team("network") };
    given([opened()]).when(route("network"), ada()).then([moved.clone()]);
    given([opened(), assigned("bob")]).when(route("network"), ada()).then([moved, unassigned("bob", Some("routed"))]);
    given([opened(), assigned("bob")]).when(route("hardware"), ada()).then_nothing();
}

fn lost() -> Event {
    unassigned("ada", Some("unavailable"))
}

#[test]
fn resume_releases_unavailable_assignee() {
    for event in [pended(), on_hold(None)] {
        let story = [opened(), assigned("ada"), event];
        let by_bob = absent(context(staff(Role::Agent, "bob")));
        given(story.clone()).when(Command::Resume, by_bob).then([resumed(Trigger::Agent), lost()]);
        given(story.clone()).when(Command::Resume, absent(system())).then([resumed(Trigger::System), lost()]);
        given(story).when(Command::Resume, system()).then([resumed(Trigger::System)]);
    }
}

#[test]
fn wake_releases_unavailable_assignee() {
    let story = [opened(), assigned("ada"), on_hold(Some(hour(30)))];
    let wake = Command::Wake { set_by: StreamVersion(3) };
    given(story).when(wake, absent(at(30, system()))).then([resumed(Trigger::Timer), lost()]);
}

#[test]
fn reply_releases_unavailable_assignee() {
    let reply = || Command::Reply { body: "That one.".to_owned(), source_id: text("mail-2") };
    let said = |events: &[Event]| {
        let replied = Event::RequesterReplied {
            message_id: message_id(7),
            personal: message("rita", "That one."),
            source_id: text("mail-2"),
        };
        [&[replied], events].concat()
    };
    let story = |event| [opened(), assigned("ada"), event];
    let trigger = Trigger::RequesterReply;
    given(story(pended())).when(reply(), absent(rita())).then(said(&[resumed(trigger), lost()]));
    given(story(resolved())).when(reply(), absent(rita())).then(said(&[reopened(None, 1, trigger), lost()]));
    // an open ticket stays with its agent until the desk returns it
    given([opened(), assigned("ada")]).when(reply(), absent(rita())).then(said(&[]));
}

#[test]
fn reopen_releases_unavailable_assignee() {
    let story = || [opened(), assigned("ada"), resolved()];
    let reopen = || Command::Reopen { reason: text("smoke") };
    let again = |trigger| reopened(Some("smoke"), 1, trigger);
    given(story()).when(reopen(), absent(rita())).then([again(Trigger::Requester), lost()]);
    given(story()).when(reopen(), absent(lead())).then([again(Trigger::Agent), lost()]);
    given(story()).when(reopen(), rita()).then([again(Trigger::Requester)]);
}

#[test]
fn acting_assignee_keeps_ticket() {
    given([opened(), assigned("ada"), pended()]).when(Command::Resume, absent(ada())).then([resumed(Trigger::Agent)]);
    let reopen = Command::Reopen { reason: text("smoke") };
    let story = [opened(), assigned("ada"), resolved()];
    given(story).when(reopen, absent(ada())).then([reopened(Some("smoke"), 1, Trigger::Agent)]);
}

#[test]
fn unassigned_ticket_has_nobody_to_release() {
    given([opened(), pended()]).when(Command::Resume, absent(ada())).then([resumed(Trigger::Agent)]);
}

#[test]
fn ticket_occupies_assignee_while_active() {
    let occupies = |events: &[Event]| ticket(&[&[opened()], events].concat()).occupies();
    assert_eq!(occupies(&[]), None);
    assert_eq!(occupies(&[assigned("ada")]), Some(agent("ada")));
    for waiting in [pended(), on_hold(None), resolved(), Event::TicketClosed { reason: ClosedReason::Spam }] {
        assert_eq!(occupies(&[assigned("ada"), waiting.clone()]), None, "{waiting:?}");
    }
    let by_reply = resumed(Trigger::RequesterReply);
    assert_eq!(occupies(&[assigned("ada"), pended(), requester_replied(), by_reply.clone()]), Some(agent("ada")));
    assert_eq!(occupies(&[assigned("ada"), pended(), by_reply, lost()]), None);
}
