//! Teams and other settings: creating. What changes one setting alone is [`Desk::change`].

use eventsourcing::{Committed, Records};
use settings_aggregate::{Command, Kind, Setting, SettingName, Team, TeamDocument};
use shared_kernel::{Handle, TeamId};

use crate::execute::record::{Named, Record};
use crate::{Call, Desk, DeskError, TeamName};

/// The scope of the aliases that are teams' handles.
pub(crate) const HANDLE_SCOPE: &str = Team::HANDLE_SCOPE;

impl<K: Kind> Named for Setting<K> {
    fn aliases(setting: &Self) -> Vec<(&'static str, String)> {
        setting.aliases().collect()
    }
}

impl Record for Setting<Team> {
    fn records(desk: &Desk) -> &Records<Self> {
        &desk.teams
    }

    fn context(_: TeamId) {}
}

impl Desk {
    /// Creates a team.
    ///
    /// # Errors
    /// [`DeskError::NameUsed`] if another one has the handle.
    pub async fn create_team(
        &self,
        handle: Handle,
        name: SettingName,
        document: TeamDocument,
        mut call: Call,
    ) -> Result<Committed<Setting<Team>>, DeskError> {
        let id = TeamId((call.new_id)());
        self.create::<Setting<Team>>(id, Command::Create { handle, name, document }, call).await
    }

    /// The team with a handle, which is created if there is none.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn ensure_team(&self, handle: &Handle, call: Call) -> Result<TeamId, DeskError> {
        if let Some(known) = self.team_id(&TeamName::Handle(handle.clone())).await? {
            return Ok(known);
        }
        let name = SettingName::parse(handle.as_str()).expect("a handle is a shorter line");
        match self.create_team(handle.clone(), name, TeamDocument::default(), call).await {
            Ok(done) => Ok(done.record.id),
            Err(error) if error.is_of_another_registration() => {
                self.team_id(&TeamName::Handle(handle.clone())).await?.ok_or(DeskError::Contended)
            }
            Err(error) => Err(error),
        }
    }
}
