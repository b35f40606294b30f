//! What a requester may see.

use shared_kernel::DomainEvent;
use ticket_aggregate::{Event, Trigger};

use crate::samples;
use crate::scenario::{fold, text};

/// Every event with every member filled, and what is left of it: a change of what is public shows as a diff.
#[test]
fn what_is_left_of_every_event() {
    let views: Vec<(&str, Option<serde_json::Value>)> = samples::events()
        .iter()
        .map(|event| {
            let view = event.public_view();
            let json = view.map(|view| {
                let payload = shared_kernel::codec::encode(&view).unwrap().payload;
                serde_json::from_str(&payload).unwrap()
            });
            (event.event_type(), json)
        })
        .collect();
    insta::assert_json_snapshot!(views);
}

#[test]
fn an_agents_reason_to_reopen_is_internal() {
    let reopened = |trigger| Event::TicketReopened { reason: text("smoke"), count: 1, trigger };
    let seen = |trigger| reopened(trigger).public_view().unwrap();
    assert_eq!(seen(Trigger::Requester), reopened(Trigger::Requester));
    for trigger in [Trigger::Agent, Trigger::System] {
        assert_eq!(seen(trigger), Event::TicketReopened { reason: None, count: 1, trigger });
    }
}

#[test]
fn a_view_of_a_view_is_the_same() {
    for view in samples::events().iter().filter_map(Event::public_view) {
        assert_eq!(view.public_view(), Some(view.clone()));
    }
}

#[test]
fn a_ticket_of_public_views_holds_nothing_internal() {
    let views: Vec<Event> = samples::events().iter().filter_map(Event::public_view).collect();
    let seen = fold(&views).unwrap();
    let whole = fold(&samples::events()).unwrap();
    assert_eq!(seen.status, whole.status);
    assert_eq!(seen.subject, whole.subject);
    assert!(seen.tags.is_empty() && seen.links.is_empty() && seen.followers.is_empty());
    assert!(seen.source_ids.is_empty());
    assert_eq!((seen.team, seen.category), (None, None));
}
