use chrono::TimeDelta;
use shared_kernel::testing::{agent, fold, given, hour};

use super::*;

fn created() -> KeyEvent {
    KeyEvent::Created {
        label: None,
        role: Role::Agent,
        owner: Owner::Agent(agent("ada")),
        scopes: vec![],
        expires_at: Some(hour(100)),
        secret: Secret { number: 1, fingerprint: "one".into() },
    }
}

fn rotated() -> KeyEvent {
    let secret = Secret { number: 2, fingerprint: "two".into() };
    KeyEvent::Rotated { secret, previous_until: hour(5) }
}

#[test]
fn rotation_overlaps() {
    let key = fold::<Key>(&[created(), rotated()]).unwrap();
    let almost = hour(5) - TimeDelta::seconds(1);
    assert!(key.accepts(1, almost) && key.accepts(2, almost));
    assert!(!key.accepts(1, hour(5)) && key.accepts(2, hour(5)));
    assert!(!key.accepts(3, almost));
}

#[test]
fn key_expires() {
    let key = fold::<Key>(&[created()]).unwrap();
    assert!(key.accepts(1, hour(99)) && !key.accepts(1, hour(100)));
}

#[test]
fn revoked_key_is_refused_and_not_rotated() {
    let events = [created(), KeyEvent::Revoked {}];
    assert!(!fold::<Key>(&events).unwrap().accepts(1, hour(2)));
    given::<Key>(events.clone()).when(KeyCommand::Revoke, ()).then_nothing();
    let rotate = KeyCommand::Rotate { number: 2, fingerprint: "two".into(), previous_until: hour(5) };
    given::<Key>(events).when(rotate, ()).then_rejected(KeyRejection::Revoked);
}

#[test]
fn rotation_takes_the_next_number() {
    let rotate = |number| KeyCommand::Rotate { number, fingerprint: "two".into(), previous_until: hour(5) };
    given::<Key>([created()]).when(rotate(2), ()).then([rotated()]);
    given::<Key>([created(), rotated()]).when(rotate(2), ()).then_rejected(KeyRejection::RotatedMeanwhile);
}

#[test]
fn events_keep_their_form() {
    let mut created = created();
    if let KeyEvent::Created { label, scopes, .. } = &mut created {
        (*label, *scopes) = (Some("CI".into()), vec![Scope::ActForOthers]);
    }
    for (event, name, golden) in [
        (created, "api_key.created", include_str!("../../../tests/golden/api_key.created.v1.json")),
        (rotated(), "api_key.rotated", include_str!("../../../tests/golden/api_key.rotated.v1.json")),
        (KeyEvent::Revoked {}, "api_key.revoked", include_str!("../../../tests/golden/api_key.revoked.v1.json")),
    ] {
        let json = shared_kernel::codec::encode(&event).unwrap();
        assert_eq!((json.event_type, json.payload.as_str()), (name, golden.trim_end()));
    }
}
