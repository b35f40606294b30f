//! `POST /v1/agents/{id}/skills`.

use agent_aggregate::{Agent, Command, Skill};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::app::App;
use crate::guard::Guard;
use crate::problem::{Code, Faults, Problem, at};
use crate::route::{CommandStyle, Route};
use crate::routes::records::{RecordCommand, command_route};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetSkills {
    /// All that they have from now on.
    #[schema(max_items = 100)]
    skills: Vec<SkillText>,
}

/// Something that an agent can do, such as a language. Skills differ by case.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(min_length = 1, max_length = 100, pattern = "line", example = "english")]
struct SkillText(String);

impl RecordCommand<Agent> for SetSkills {
    async fn into_command(self, _: &App) -> Result<Command, Problem> {
        let mut faults = Faults::default();
        let skills = self.skills.iter().enumerate();
        let skills = skills
            .filter_map(|(index, SkillText(skill))| faults.take(at(&format!("/skills/{index}"), Skill::parse(skill))));
        let skills = skills.collect();
        if faults.is_empty() {
            Ok(Command::SetSkills { skills })
        } else {
            Err(Problem::faults(Code::ValidationFailed, faults))
        }
    }
}

pub(super) fn route() -> Route {
    let example = json!({"skills": ["english", "german"]});
    command_route::<Agent, SetSkills>("/v1/agents/{id}/skills", Guard::Leads, CommandStyle::Change, example).operation(
        "set_skills",
        "agents",
        "Replace an agent's skills",
        "Skills that are left out are theirs no more. For leads and admins.",
    )
}
