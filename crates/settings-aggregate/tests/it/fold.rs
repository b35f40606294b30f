//! What events mean for a setting.

use settings_aggregate::{Event, Setting, Team};
use shared_kernel::testing::hour;
use shared_kernel::{Aggregate, Stamp, StreamVersion};

use crate::scenario::{created, document, events, fold, handle, name, revised};

#[test]
fn creation_starts_a_setting() {
    let team = fold(&[created()]);
    assert_eq!((team.handle.clone(), team.name.clone()), (handle("facilities"), name("Facilities")));
    assert_eq!((team.created_at, team.updated_at, team.version), (hour(0), hour(0), StreamVersion(1)));
    assert!(!team.retired);
    assert!(team.aliases().eq([("team-handle", "facilities".to_owned())]));
}

#[test]
fn every_event_moves_version_and_time() {
    for event in events() {
        let stamp = Stamp { occurred_at: hour(5), version: StreamVersion(2) };
        let after = Setting::evolve(Some(fold(&[created()])), &event, &stamp).unwrap();
        assert_eq!((after.version, after.updated_at), (StreamVersion(2), hour(5)), "{event:?}");
        assert_eq!(after.created_at, hour(0));
        let before = Setting::<Team>::evolve(None, &event, &stamp);
        assert_eq!(before.is_some(), matches!(event, Event::Created(_)));
    }
}

#[test]
fn retired_setting_keeps_everything() {
    let team = fold(&[created(), revised("Buildings", document("Doors.")), Event::Retired]);
    assert_eq!((team.name.clone(), team.document.clone()), (name("Buildings"), document("Doors.")));
    assert!(team.retired);
    assert!(team.aliases().eq([("team-handle", "facilities".to_owned())]));
}

/// An old snapshot that still parses would be believed. Whoever changes the form raises `Team::STATE_SCHEMA` and accepts
/// the new form.
#[test]
fn stored_state_has_the_form_of_its_schema_version() {
    let team = fold(&[created(), revised("Buildings", document("Doors.")), Event::Retired]);
    let json = serde_json::to_string_pretty(&team).unwrap();
    assert_eq!(serde_json::from_str::<Setting<Team>>(&json).unwrap(), team);
    assert!(Setting::size_of(&team) > size_of::<Setting<Team>>());
    insta::assert_snapshot!(format!("schema {}\n{json}", Setting::<Team>::STATE_SCHEMA));
}
