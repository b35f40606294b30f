//! What a requester may see.

use shared_kernel::DomainEvent;
use ticket_aggregate::{Event, Trigger};

use crate::samples;
use crate::scenario::{fold, reopened};

/// Every event with every member filled, and what is left of it: a change of what is public shows as a diff.
#[test]
fn public_views() {
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
fn agent_reopen_reason_is_internal() {
    let seen = |trigger| reopened(Some("smoke"), 1, trigger).public_view().unwrap();
    assert_eq!(seen(Trigger::Requester), reopened(Some("smoke"), 1, Trigger::Requester));
    for trigger in [Trigger::Agent, Trigger::System] {
        assert_eq!(seen(trigger), reopened(None, 1, trigger));
    }
}

#[test]
fn public_view_is_idempotent() {
    for view in samples::events().iter().filter_map(Event::public_view) {
        assert_eq!(view.public_view(), Some(view.clone()));
    }
}

#[test]
fn public_fold_holds_nothing_internal() {
    let views: Vec<Event> = samples::events().iter().filter_map(Event::public_view).collect();
    let seen = fold(&views).unwrap();
    let whole = fold(&samples::events()).unwrap();
    assert_eq!(seen.status, whole.status);
    assert_eq!(seen.subject, whole.subject);
    assert_eq!(seen.requester, whole.requester);
    assert!(seen.tags.is_empty() && seen.links.is_empty() && seen.followers.is_empty());
    assert!(seen.source_ids.is_empty());
    assert_eq!((seen.team, seen.category), (None, None));
}
