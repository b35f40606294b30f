//! Resolving, and the requester's confirmation, guard by guard.

use chrono::{DateTime, TimeDelta, Utc};
use ticket_aggregate::{AssignmentMethod, Command, Context, Event, Rejection, ResolutionCode};

use crate::scenario::{
    ada, admin, agent, assigned, code, finn, followed, given, hour, message, message_id, opened, pended, rita, system,
    team, text, ticket_id,
};

fn resolve() -> Command {
    Command::Resolve { code: code("solved"), note: None }
}
fn solved(reopen_until: DateTime<Utc>) -> Event {
    Event::TicketResolved { code: code("solved"), reopen_until }
}

#[test]
fn resolve_pins_deadline() {
    let story = [opened(), assigned("ada")];
    given(story.clone()).when(resolve(), ada()).then([solved(hour(96))]);
    let import = Context { reopen_until: Some(hour(30)), ..ada() };
    given(story.clone()).when(resolve(), import).then([solved(hour(30))]);
    let for_ever = Context { reopen_window: TimeDelta::MAX, ..ada() };
    given(story).when(resolve(), for_ever).then([solved("9999-12-31T23:59:59Z".parse().unwrap())]);
}

#[test]
fn resolve_takes_unassigned() {
    let taken = assigned("ada");
    given([opened()]).when(resolve(), ada()).then([taken, solved(hour(96))]);
    let taken = Event::AgentAssigned { from: None, to: agent("root"), method: AssignmentMethod::OwnChoice };
    given([opened(), pended()]).when(resolve(), admin()).then([taken, solved(hour(96))]);
    given([opened()]).when(resolve(), system()).then_rejected(Rejection::NoAssignee);
    given([opened(), assigned("bob")]).when(resolve(), system()).then([solved(hour(96))]);
}

#[test]
fn resolve_requires_team_member() {
    let foreign = Context { assignee_teams: Some([team("network")].into()), ..ada() };
    let refusal = Rejection::NotTeamMember { assignee: agent("ada"), team: team("hardware") };
    given([opened()]).when(resolve(), foreign.clone()).then_rejected(refusal);
    given([opened(), assigned("bob")]).when(resolve(), foreign).then([solved(hour(96))]);
}

#[test]
fn resolve_records_note_first() {
    let resolve = Command::Resolve { code: code("solved"), note: text("Water.") };
    let note = Event::InternalNoteAdded { message_id: message_id(7), personal: message("rita", "Water.") };
    given([opened()]).when(resolve, ada()).then([assigned("ada"), note, solved(hour(96))]);
}

#[test]
fn resolve_refuses_open_blockers() {
    let blocked = Context { open_blockers: vec![ticket_id(9)], ..ada() };
    let refusal = Rejection::OpenBlockers { tickets: vec![ticket_id(9)] };
    given([opened(), assigned("ada")]).when(resolve(), blocked).then_rejected(refusal);
}

#[test]
fn resolve_refuses_reserved_code() {
    let code = ResolutionCode::confirmed_by_requester();
    let resolve = Command::Resolve { code: code.clone(), note: None };
    given([opened()]).when(resolve, ada()).then_rejected(Rejection::ReservedCode { code });
}

#[test]
fn confirm_requires_assignee() {
    let confirm = || Command::Confirm;
    let solved = Event::TicketResolved { code: ResolutionCode::confirmed_by_requester(), reopen_until: hour(96) };
    given([opened(), assigned("ada")]).when(confirm(), rita()).then([solved]);
    given([opened(), pended()]).when(confirm(), rita()).then_rejected(Rejection::NoAssignee);
    given([opened(), followed("finn")]).when(confirm(), finn()).then_rejected(Rejection::NotOwnTicket);
}
