//! What events mean for a ticket.

use shared_kernel::{Aggregate, Personal, Stamp, StreamVersion};
use ticket_aggregate::{Event, LinkKind, Status, Trigger};
use ticket_aggregate::{SubjectChange, Ticket};

use crate::samples;
use crate::scenario::{
    agent, agent_replied, assigned, confirmed, fold, hour, on_hold, opened, pended, person, reopened,
    requester_replied, resolved, resumed, tags, team, text, ticket, ticket_id,
};

#[test]
fn nothing_folds_before_opening() {
    for event in samples::events().into_iter().skip(1) {
        assert_eq!(fold(&[event]), None);
    }
}

#[test]
fn opening_fold() {
    let ticket = ticket(&[opened()]);
    assert_eq!(ticket.status, Status::New);
    assert_eq!(ticket.version, StreamVersion(1));
    assert_eq!(ticket.number.to_string(), "#1042");
    assert_eq!(ticket.requester, Some(person("rita")));
    assert_eq!((ticket.subject.as_str(), ticket.body.as_str()), ("The printer is on fire", "Please help."));
    assert_eq!(ticket.team, Some(team("hardware")));
    assert_eq!(ticket.tags, tags(&["vip"]));
    assert_eq!((ticket.opened_at, ticket.updated_at), (hour(0), hour(0)));
    assert!(ticket.source_ids.contains("mail-1"));
    assert!(!ticket.agent_replied_publicly && !ticket.agent_replied_since_requester);
}

#[test]
fn events_move_version_and_time() {
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
fn second_opening_is_ignored() {
    let mut expected = ticket(&[opened()]);
    (expected.version, expected.updated_at) = (StreamVersion(2), hour(1));
    (expected.public_version, expected.public_updated_at) = (StreamVersion(2), hour(1));
    assert_eq!(ticket(&[opened(), samples::events().remove(0)]), expected);
}

#[test]
fn new_ticket_is_taken_up() {
    for event in [assigned("ada"), agent_replied(), Event::WorkStarted {}] {
        assert_eq!(ticket(&[opened(), event.clone()]).status, Status::Open);
        assert_eq!(ticket(&[opened(), pended(), event]).status, Status::Pending);
    }
}

#[test]
fn replies_fold() {
    let asked = [opened(), agent_replied()];
    assert!(ticket(&asked).agent_replied_since_requester);
    let answered = ticket(&[&asked[..], &[requester_replied()]].concat());
    assert!(!answered.agent_replied_since_requester);
    assert!(answered.agent_replied_publicly);
    assert!(answered.source_ids.contains("mail-2"));
}

#[test]
fn hold_fold() {
    let held = [opened(), on_hold(Some(hour(48)))];
    assert_eq!(ticket(&held).status, Status::OnHold);
    assert_eq!(ticket(&held).wake_at, Some(hour(48)));
    assert_eq!(ticket(&held).hold_reason.as_deref(), Some("awaiting a part"));
    for end in [resumed(Trigger::Timer), resolved()] {
        let after = ticket(&[&held[..], &[end]].concat());
        assert_eq!((after.wake_at, after.hold_reason), (None, None));
    }
}

#[test]
fn resolve_and_reopen_fold() {
    let done = [opened(), assigned("ada"), confirmed()];
    let resolved = ticket(&done);
    assert_eq!(resolved.status, Status::Resolved);
    assert_eq!(resolved.resolved_at, Some(hour(2)));
    assert_eq!(resolved.reopen_until, Some(hour(48)));
    assert!(resolved.confirmed_by_requester && resolved.resolution_code.is_some());
    let reopened = ticket(&[&done[..], &[reopened(None, 1, Trigger::Requester)]].concat());
    assert_eq!(reopened.status, Status::Open);
    assert_eq!(reopened.reopen_count, 1);
    assert_eq!((reopened.resolved_at, reopened.reopen_until), (None, None));
    assert!(!reopened.confirmed_by_requester && reopened.resolution_code.is_none());
    // it goes back to who had it
    assert_eq!(reopened.assignee, Some(agent("ada")));
}

#[test]
fn details_fold() {
    let (kind, other) = (LinkKind::Blocks, ticket_id(9));
    let link = Event::TicketLinked { kind, other };
    let unlink = Event::TicketUnlinked { kind, other };
    let changed = ticket(&[
        opened(),
        Event::SubjectChanged {
            personal: Personal::new(None, SubjectChange { from: String::new(), to: "Fire".to_owned() }),
        },
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
fn snapshot_round_trip() {
    let ticket = ticket(&samples::events());
    let json = serde_json::to_string(&ticket).unwrap();
    assert_eq!(serde_json::from_str::<Ticket>(&json).unwrap(), ticket);
}

/// An old snapshot that still parses would be believed. Whoever changes the form raises `Ticket::STATE_SCHEMA` and accepts
/// the new form.
#[test]
fn stored_state_form() {
    let ticket = ticket(&[opened(), assigned("ada"), confirmed()]);
    let json = serde_json::to_string_pretty(&ticket).unwrap();
    // what is absent is left out of the JSON
    let debug = format!("{ticket:#?}");
    let top = debug.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| !line.starts_with(' '));
    let fields = top.filter_map(|line| Some(line.split_once(':')?.0)).collect::<Vec<_>>().join(" ");
    insta::assert_snapshot!(format!("schema {}\n{fields}\n{json}", Ticket::STATE_SCHEMA));
    assert_eq!(serde_json::from_str::<Ticket>(&json).unwrap(), ticket);
}
