//! Teams as clients see them.

use desk::{DeskError, TeamName};
use eventstore::Version;
use serde::Serialize;
use serde_json::{Value, json};
use settings_aggregate::{Setting, Team};
use shared_kernel::TeamId;
use utoipa::ToSchema;

use crate::app::App;
use crate::route::ResourceType;
use crate::routes::records::Resource;
use crate::schema::EXAMPLE_TEAM;
use crate::time::rfc3339;

/// A team as a record.
pub(super) type TeamSetting = Setting<Team>;

/// A queue of tickets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Team)]
pub(in crate::routes) struct TeamView {
    #[schema(format = Uuid)]
    id: String,
    /// The name that programs use, and that tickets show. It never changes.
    handle: String,
    /// The version of its stream; the entity tag.
    version: i64,
    name: String,
    description: Option<String>,
    /// Out of use for good.
    retired: bool,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

impl TeamView {
    pub(super) fn new(id: TeamId, version: Version, team: &TeamSetting) -> Self {
        Self {
            id: id.to_string(),
            handle: team.handle.to_string(),
            version: version.0,
            name: team.name.to_string(),
            description: team.document.description.clone(),
            retired: team.retired,
            created_at: rfc3339(team.created_at),
            updated_at: rfc3339(team.updated_at),
        }
    }
}

impl Resource for TeamSetting {
    const RESOURCE: ResourceType = ResourceType { name: "team", schema: "Team" };
    const PATH: &'static str = "/v1/teams";
    const HAS_HANDLE: bool = true;

    type Name = TeamName;
    type View = TeamView;

    async fn find(app: &App, name: TeamName) -> Result<Option<TeamId>, DeskError> {
        app.desk.team_id(&name).await
    }

    async fn view(_: &App, id: TeamId, version: Version, team: &Self) -> Result<TeamView, DeskError> {
        Ok(TeamView::new(id, version, team))
    }

    fn example() -> Value {
        json!({
            "id": EXAMPLE_TEAM, "handle": "facilities", "version": 1, "name": "Facilities",
            "description": "Doors, desks and lamps.", "retired": false,
            "created_at": "2026-01-31T09:00:00Z", "updated_at": "2026-01-31T09:00:00Z",
        })
    }
}
