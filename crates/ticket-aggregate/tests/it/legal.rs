//! What the audit finds in a history that no sequence of commands can have recorded.

use shared_kernel::{DomainEvent, Personal};
use ticket_aggregate::{
    ClosedReason, Event, IllegalStep, LinkKind, Priority, Status, SubjectChange, Trigger, legal_step,
};

use crate::samples;
use crate::scenario::{
    agent, assigned, confirmed, fold, followed, on_hold, opened, pended, person, reopened, requester_changed,
    requester_replied, resolved, resumed, tags, team, ticket_id, unassigned,
};

fn step(before: &[Event], event: &Event) -> Result<(), IllegalStep> {
    legal_step(fold(before).as_ref(), event)
}

#[track_caller]
fn wrong_status(before: &[Event], event: &Event, status: Status) {
    let event_type = event.event_type();
    assert_eq!(step(before, event), Err(IllegalStep::WrongStatus { event_type, status }));
}

#[track_caller]
fn contradicts(before: &[Event], event: &Event, field: &str) {
    match step(before, event) {
        Err(IllegalStep::Contradiction { field: found, .. }) => assert_eq!(found, field),
        other => panic!("{event:?}: {other:?}"),
    }
}

fn closed(reason: ClosedReason) -> Event {
    Event::TicketClosed { reason }
}

#[test]
fn opening_comes_first_and_once() {
    assert_eq!(step(&[], &opened()), Ok(()));
    assert_eq!(step(&[opened()], &opened()), Err(IllegalStep::OpenedAgain));
    for event in samples::events().iter().skip(1) {
        let event_type = event.event_type();
        assert_eq!(step(&[], event), Err(IllegalStep::BeforeOpening { event_type }));
    }
}

#[test]
fn unresolved_closes_as_spam_only() {
    let resolved_away = closed(ClosedReason::Resolved);
    wrong_status(&[opened()], &resolved_away, Status::New);
    assert_eq!(step(&[opened()], &closed(ClosedReason::Spam)), Ok(()));
    assert_eq!(step(&[opened(), assigned("ada"), resolved()], &resolved_away), Ok(()));
}

#[test]
fn closed_takes_links_only() {
    let story = [opened(), assigned("ada"), resolved(), closed(ClosedReason::Resolved)];
    for event in samples::events().iter().skip(1) {
        match event {
            Event::TicketLinked { .. } => assert_eq!(step(&story, event), Ok(())),
            Event::TicketUnlinked { .. } => contradicts(&story, event, "links"),
            _ => wrong_status(&story, event, Status::Closed),
        }
    }
}

#[test]
fn illegal_status() {
    wrong_status(&[opened(), assigned("ada")], &Event::WorkStarted {}, Status::Open);
    wrong_status(&[opened()], &pended(), Status::New);
    wrong_status(&[opened(), assigned("ada"), resolved()], &on_hold(None), Status::Resolved);
    wrong_status(&[opened()], &resumed(Trigger::Agent), Status::New);
    wrong_status(&[opened(), pended()], &resumed(Trigger::Timer), Status::Pending);
    wrong_status(&[opened()], &confirmed(), Status::New);
    wrong_status(&[opened()], &reopened(None, 1, Trigger::Agent), Status::New);
}

#[test]
fn resumed_by_reply() {
    let by_reply = resumed(Trigger::RequesterReply);
    assert_eq!(step(&[opened(), pended(), requester_replied()], &by_reply), Ok(()));
    wrong_status(&[opened(), requester_replied()], &by_reply, Status::New);
}

#[test]
fn contradicted_change() {
    let start = [opened()];
    contradicts(&start, &unassigned("ada", None), "assignee");
    contradicts(&[opened(), assigned("bob")], &assigned("ada"), "assignee");
    contradicts(&start, &resolved(), "assignee");
    contradicts(&start, &Event::TeamAssigned { from: None, to: team("network") }, "team");
    let (from, to) = (Priority::Low, Priority::High);
    contradicts(&start, &Event::PriorityChanged { from, to, reason: None }, "priority");
    let to = "x".to_owned();
    let from = Some("y".to_owned());
    contradicts(&start, &Event::CategoryChanged { from, to: to.clone() }, "category");
    let personal = Personal::new(Some(person("rita")), SubjectChange { from: "y".to_owned(), to });
    contradicts(&start, &Event::SubjectChanged { personal }, "subject");
    contradicts(&start, &requester_changed(Some("finn"), "gus"), "requester");
    contradicts(&start, &requester_changed(None, "gus"), "requester");
    contradicts(&start, &requester_changed(Some("rita"), "rita"), "requester");
    let skipped = reopened(None, 2, Trigger::Agent);
    contradicts(&[opened(), assigned("ada"), resolved()], &skipped, "reopen_count");
}

#[test]
fn contradicted_member() {
    let start = [opened()];
    contradicts(&start, &Event::TagsAdded { tags: tags(&["vip"]) }, "tags");
    contradicts(&start, &Event::TagsRemoved { tags: tags(&["hot"]) }, "tags");
    let (kind, other) = (LinkKind::Blocks, ticket_id(9));
    contradicts(&start, &Event::TicketUnlinked { kind, other }, "links");
    let linked = Event::TicketLinked { kind, other };
    contradicts(&[opened(), linked.clone()], &linked, "links");
    contradicts(&start, &Event::FollowerRemoved { follower: person("finn") }, "followers");
    contradicts(&[opened(), followed("finn")], &followed("finn"), "followers");
}

#[test]
fn illegal_step_messages() {
    let finding = step(&[opened()], &closed(ClosedReason::Resolved)).unwrap_err();
    assert_eq!(finding.to_string(), "ticket.closed is impossible in a ticket that is new");
    let finding = step(&[opened(), assigned("bob")], &assigned("ada")).unwrap_err();
    let said = format!("ticket.agent_assigned contradicts the ticket: assignee is {:?}", Some(agent("bob")));
    assert_eq!(finding.to_string(), said);
}
