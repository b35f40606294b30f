//! Creating, revising, retiring.

use settings_aggregate::{Command, CommandKind, Event, Fault, Rejection, Setting, Team, TeamDocument};
use shared_kernel::testing::given_nothing;

use crate::scenario::{create, created, document, fold, given, revise, revised};

fn blank_description() -> Rejection {
    let detail = "is blank; write something or leave it out".to_owned();
    Rejection::InvalidDocument { faults: vec![Fault { pointer: "/description".to_owned(), detail }] }
}

#[test]
fn create_setting() {
    let document = document("Doors, desks \"and\" lamps.\nNo printers.");
    given_nothing::<Setting<Team>>().when(create(document), ()).then([created()]);
}

#[test]
fn create_only_once() {
    let command = || create(TeamDocument::default());
    given([created()]).when(command(), ()).then_rejected(Rejection::AlreadyCreated);
    given([created(), Event::Retired]).when(command(), ()).then_rejected(Rejection::AlreadyCreated);
}

#[test]
fn everything_else_needs_creation() {
    for command in [revise(Some("Buildings"), None), revise(None, None), Command::Retire] {
        given_nothing::<Setting<Team>>().when(command, ()).then_rejected(Rejection::NotCreated);
    }
}

#[test]
fn revise_records_the_whole() {
    let before = fold(&[created()]).document;
    given([created()])
        .when(revise(Some("Buildings"), None), ())
        .then([revised("Buildings", before)])
        .when(revise(None, Some(document("Doors."))), ())
        .then([revised("Buildings", document("Doors."))])
        .when(revise(Some("Gebäude"), Some(TeamDocument::default())), ())
        .then([revised("Gebäude", TeamDocument::default())]);
}

#[test]
fn revise_records_nothing_without_change() {
    let before = fold(&[created()]).document;
    for command in [revise(None, None), revise(Some("Facilities"), None), revise(Some("Facilities"), Some(before))] {
        given([created()]).when(command, ()).then_nothing();
    }
}

#[test]
fn document_is_checked() {
    given_nothing::<Setting<Team>>().when(create(document(" ")), ()).then_rejected(blank_description());
    given([created()]).when(revise(None, Some(document(""))), ()).then_rejected(blank_description());
    // what is wrong with the command comes before what is wrong with its time
    given_nothing::<Setting<Team>>().when(revise(None, Some(document(""))), ()).then_rejected(blank_description());
    given([created(), Event::Retired]).when(create(document("")), ()).then_rejected(blank_description());
}

#[test]
fn retire_is_for_good() {
    let story = given([created()]).when(Command::Retire, ()).then([Event::Retired]);
    story.when(Command::Retire, ()).then_nothing();
    for command in [revise(Some("Buildings"), None), revise(None, None)] {
        given([created(), Event::Retired]).when(command, ()).then_rejected(Rejection::Retired);
    }
}

#[test]
fn command_has_its_kind() {
    let commands = [create(TeamDocument::default()), revise(None, None), Command::Retire];
    assert!(commands.iter().map(Command::kind).eq(CommandKind::ALL.iter().copied()));
}
