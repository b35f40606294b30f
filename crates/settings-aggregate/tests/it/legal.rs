//! What an audit refuses.

use settings_aggregate::{Event, IllegalStep, Setting, Team, legal_step};
use shared_kernel::Aggregate;

use crate::scenario::{created, document, fold, revised};

#[test]
fn creation_comes_first_and_once() {
    assert_eq!(legal_step::<Team>(None, &created()), Ok(()));
    let before = |event_type| Err(IllegalStep::BeforeCreation { event_type });
    assert_eq!(legal_step(None, &revised("Buildings", document("Doors."))), before("team.revised"));
    assert_eq!(legal_step::<Team>(None, &Event::Retired), before("team.retired"));
    assert_eq!(legal_step(Some(&fold(&[created()])), &created()), Err(IllegalStep::CreatedAgain));
}

#[test]
fn revision_changes_something() {
    let team = fold(&[created()]);
    assert_eq!(legal_step(Some(&team), &revised("Facilities", document("Doors."))), Ok(()));
    assert_eq!(legal_step(Some(&team), &revised("Buildings", team.document.clone())), Ok(()));
    let same = revised("Facilities", team.document.clone());
    assert_eq!(legal_step(Some(&team), &same), Err(IllegalStep::NoChange { event_type: "team.revised" }));
}

#[test]
fn nothing_follows_retirement() {
    assert!(Setting::check_step(Some(&fold(&[created()])), &Event::Retired).is_ok());
    let team = fold(&[created(), Event::Retired]);
    let after = |event_type| Err(IllegalStep::AfterRetirement { event_type });
    assert_eq!(legal_step(Some(&team), &revised("Buildings", document("Doors."))), after("team.revised"));
    assert_eq!(legal_step(Some(&team), &Event::Retired), after("team.retired"));
    let error = Setting::check_step(Some(&team), &Event::Retired).unwrap_err();
    assert_eq!(error.to_string(), "team.retired after the setting was retired");
}
