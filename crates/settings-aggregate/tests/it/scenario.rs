//! The events of the stories that the tests tell. The stories are of the team `facilities`.

use settings_aggregate::{Command, Created, Event, Revised, Setting, SettingName, Team, TeamDocument};
use shared_kernel::Handle;
use shared_kernel::testing::{self, Given};

pub(crate) fn handle(text: &str) -> Handle {
    Handle::parse(text).unwrap()
}
pub(crate) fn name(text: &str) -> SettingName {
    SettingName::parse(text).unwrap()
}
pub(crate) fn document(description: &str) -> TeamDocument {
    TeamDocument { description: Some(description.to_owned()) }
}

pub(crate) fn create(document: TeamDocument) -> Command<Team> {
    Command::Create { handle: handle("facilities"), name: name("Facilities"), document }
}
pub(crate) fn revise(name: Option<&str>, document: Option<TeamDocument>) -> Command<Team> {
    Command::Revise { name: name.map(self::name), document }
}

pub(crate) fn created() -> Event<Team> {
    let document = document("Doors, desks \"and\" lamps.\nNo printers.");
    Event::Created(Created { handle: handle("facilities"), name: name("Facilities"), document })
}
pub(crate) fn revised(name: &str, document: TeamDocument) -> Event<Team> {
    Event::Revised(Revised { name: self::name(name), document })
}

/// One event of every type, in the order of `Event::TYPES`.
pub(crate) fn events() -> Vec<Event<Team>> {
    vec![created(), revised("Gebäude", document("Doors.")), Event::Retired]
}

pub(crate) fn fold(events: &[Event<Team>]) -> Setting<Team> {
    testing::fold::<Setting<Team>>(events).expect("the story has a creation")
}

pub(crate) fn given(events: impl Into<Vec<Event<Team>>>) -> Given<Setting<Team>> {
    testing::given(events)
}
