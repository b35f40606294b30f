//! What events mean for a ticket.

use shared_kernel::{Aggregate, Stamp, StreamVersion};
use ticket_aggregate::Ticket;
use ticket_aggregate::{Event, LinkKind, Status, Trigger};

use crate::samples;
use crate::scenario::{
    RITA, agent, agent_replied, assigned, confirmed, fold, hour, on_hold, opened, pended, requester_replied, resolved,
    resumed, tags, team, text, ticket, ticket_id,
};

#[test]
fn nothing_is_a_ticket_before_its_opening() {
    for event in samples::events().into_iter().skip(1) {
        assert_eq!(fold(&[event]), None);
    }
}

#[test]
fn a_new_ticket() {
    let ticket = ticket(&[opened()]);
    assert_eq!(ticket.status, Status::New);
    assert_eq!(ticket.version, StreamVersion(1));
    assert_eq!(ticket.number.to_string(), "#1042");
    assert_eq!(ticket.requester.as_ref().unwrap().email(), RITA);
    assert_eq!(ticket.team, Some(team("hardware")));
    assert_eq!(ticket.tags, tags(&["vip"]));
    assert_eq!((ticket.opened_at, ticket.updated_at), (hour(0), hour(0)));
    assert!(ticket.source_ids.contains("mail-1"));
    assert!(!ticket.agent_replied_publicly && !ticket.agent_replied_since_requester);
}

#[test]
fn every_event_moves_version_and_time() {
    for event in samples::events() {
        let stamp = Stamp { occurred_at: hour(5), version: StreamVersion(2) };
        let after = Ticket::evolve(fold(&[opened()]), &event, &stamp).unwrap();
        assert_eq!((after.version, after.updated_at), (StreamVersion(2), hour(5)), "{event:?}");
        let public =
            if event.public_view().is_some() { (StreamVersion(2), hour(5)) } else { (StreamVersion(1), hour(0)) };
        assert_eq!((after.public_version, after.public_updated_at), public, "{event:?}");
        assert_eq!(after.opened_at, hour(0));
    }
}

#[test]
fn a_second_opening_changes_nothing_else() {
    let mut expected = ticket(&[opened()]);
    (expected.version, expected.updated_at) = (StreamVersion(2), hour(1));
    (expected.public_version, expected.public_updated_at) = (StreamVersion(2), hour(1));
    assert_eq!(ticket(&[opened(), samples::events().remove(0)]), expected);
}

#[test]
fn a_new_ticket_is_taken_up_by_assignment_reply_and_start() {
    for event in [assigned("ada"), agent_replied(), Event::WorkStarted {}] {
        assert_eq!(ticket(&[opened(), event.clone()]).status, Status::Open);
        assert_eq!(ticket(&[opened(), pended(), event]).status, Status::Pending);
    }
}

#[test]
fn whose_turn_it_is() {
    let asked = [opened(), agent_replied()];
    assert!(ticket(&asked).agent_replied_since_requester);
    let answered = ticket(&[&asked[..], &[requester_replied()]].concat());
    assert!(!answered.agent_replied_since_requester);
    assert!(answered.agent_replied_publicly);
    assert!(answered.source_ids.contains("mail-2"));
}

#[test]
fn holding_and_going_on() {
    let held = [opened(), on_hold(Some(hour(48)))];
    assert_eq!(ticket(&held).status, Status::OnHold);
    assert_eq!(ticket(&held).wake_at, Some(hour(48)));
    for end in [resumed(Trigger::Timer), resolved()] {
        assert_eq!(ticket(&[&held[..], &[end]].concat()).wake_at, None);
    }
}

#[test]
fn resolving_and_reopening() {
    let done = [opened(), assigned("ada"), confirmed()];
    let resolved = ticket(&done);
    assert_eq!(resolved.status, Status::Resolved);
    assert_eq!(resolved.resolved_at, Some(hour(2)));
    assert_eq!(resolved.reopen_until, Some(hour(48)));
    assert!(resolved.confirmed_by_requester && resolved.resolution_code.is_some());
    let again = Event::TicketReopened { reason: None, count: 1, trigger: Trigger::Requester };
    let reopened = ticket(&[&done[..], &[again]].concat());
    assert_eq!(reopened.status, Status::Open);
    assert_eq!(reopened.reopen_count, 1);
    assert_eq!((reopened.resolved_at, reopened.reopen_until), (None, None));
    assert!(!reopened.confirmed_by_requester && reopened.resolution_code.is_none());
    // it goes back to who had it
    assert_eq!(reopened.assignee, Some(agent("ada")));
}

#[test]
fn details() {
    let (kind, other) = (LinkKind::Blocks, ticket_id(9));
    let link = Event::TicketLinked { kind, other };
    let unlink = Event::TicketUnlinked { kind, other };
    let changed = ticket(&[
        opened(),
        Event::SubjectChanged { from: String::new(), to: "Fire".to_owned() },
        Event::CategoryChanged { from: None, to: "fires".to_owned() },
        Event::TagsAdded { tags: tags(&["hot"]) },
        Event::TagsRemoved { tags: tags(&["vip"]) },
        Event::TeamAssigned { from: None, to: team("network") },
        link.clone(),
    ]);
    assert_eq!(changed.subject, "Fire");
    assert_eq!(changed.category, text("fires"));
    assert_eq!(changed.tags, tags(&["hot"]));
    assert_eq!(changed.team, Some(team("network")));
    assert_eq!(changed.links.len(), 1);
    assert!(ticket(&[opened(), link, unlink]).links.is_empty());
}

#[test]
fn a_snapshot_gives_the_ticket_back() {
    let ticket = ticket(&samples::events());
    let json = serde_json::to_string(&ticket).unwrap();
    assert_eq!(serde_json::from_str::<Ticket>(&json).unwrap(), ticket);
}

/// An old snapshot that still parses would be believed. Whoever changes the form raises `Ticket::STATE_SCHEMA` and accepts
/// the new form.
#[test]
fn stored_state_has_the_form_of_its_schema_version() {
    let ticket = ticket(&[opened(), assigned("ada"), confirmed()]);
    let json = serde_json::to_string_pretty(&ticket).unwrap();
    // what is absent is left out of the JSON
    let debug = format!("{ticket:#?}");
    let top = debug.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| !line.starts_with(' '));
    let fields = top.filter_map(|line| Some(line.split_once(':')?.0)).collect::<Vec<_>>().join(" ");
    insta::assert_snapshot!(format!("schema {}\n{fields}\n{json}", Ticket::STATE_SCHEMA));
    assert_eq!(serde_json::from_str::<Ticket>(&json).unwrap(), ticket);
}
