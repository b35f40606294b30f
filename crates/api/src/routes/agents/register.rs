//! `POST /v1/agents`.

use agent_aggregate::Agent;
use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use axum::routing::post;
use desk::{NewAgent, TeamName};
use person_aggregate::PersonName;
use serde::Deserialize;
use serde_json::json;
use shared_kernel::{EmailAddress, PersonId};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::command::CommandRequest;
use crate::guard::Guard;
use crate::handles::parse_handle;
use crate::problem::{Code, Faults, FieldError, Problem, at};
use crate::route::Route;
use crate::routes::records::{create_route, created};

/// An agent, and the person that they are: somebody who is known by `person_id`, or a new person with name and address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RegisterAgent {
    /// The name that programs use; it never changes. Unique among agents; not `none`, nor of the form of an id.
    #[schema(min_length = 1, max_length = 64, pattern = "line")]
    handle: String,
    /// Somebody who is known.
    person_id: Option<Uuid>,
    /// The new person's name. Default: the handle.
    #[schema(min_length = 1, max_length = 200, pattern = "line")]
    name: Option<String>,
    /// The new person's address.
    #[schema(max_length = 254, pattern = "address", example = "ada@example.com")]
    email: Option<String>,
    /// How many tickets they take on at once. Default: any number.
    #[schema(maximum = 10_000)]
    capacity: Option<u32>,
    /// The handles or ids of the teams that they join.
    #[schema(max_items = 100)]
    teams: Option<Vec<TeamText>>,
}

/// A team's handle or id.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(min_length = 1, max_length = 64, pattern = "line", example = "facilities")]
struct TeamText(String);

pub(super) fn route() -> Route {
    let example =
        json!({"handle": "ada", "name": "Ada", "email": "ada@example.com", "capacity": 5, "teams": ["facilities"]});
    let route = Route::new(Method::POST, "/v1/agents", Guard::Admins, LoadClass::Command, post(handle)).operation(
        "register_agent",
        "agents",
        "Register an agent",
        "They are online from then on. A key for them is made with `docket keys create`. For admins.",
    );
    create_route::<Agent, RegisterAgent>(route, example)
}

async fn handle(State(app): State<App>, request: CommandRequest<RegisterAgent>) -> Result<Response, Problem> {
    let CommandRequest { body, mut context } = request;
    let (mut agent, teams) = body.parse().map_err(|faults| Problem::faults(Code::ValidationFailed, faults))?;
    let mut faults = Faults::default();
    for (index, name) in teams.iter().enumerate() {
        let unknown = FieldError::new(format!("/teams/{index}"), format!("no team goes by the name of {name}"));
        agent.teams.extend(faults.take(app.desk.team_id(name).await?.ok_or(unknown)));
    }
    if !faults.is_empty() {
        return Err(Problem::faults(Code::ValidationFailed, faults).with("rule", "unknown_name"));
    }
    let done = app.desk.register_agent(agent, context.call(&app)).await;
    created::<Agent>(&app, done, context).await
}

impl RegisterAgent {
    /// The agent but for the teams, whose ids have to be looked up.
    fn parse(self) -> Result<(NewAgent, Vec<TeamName>), Faults> {
        let mut faults = Faults::default();
        let handle = faults.take(parse_handle(&self.handle));
        if self.person_id.is_some() && (self.name.is_some() || self.email.is_some()) {
            faults.add(FieldError::new("/person_id", "give person_id, or name and email of a new person"));
        }
        let name = self.name.and_then(|name| faults.take(at("/name", PersonName::parse(&name))));
        let email = self.email.and_then(|email| faults.take(at("/email", EmailAddress::parse(&email))));
        let mut teams = Vec::new();
        for (index, TeamText(team)) in self.teams.unwrap_or_default().into_iter().enumerate() {
            teams.extend(faults.take(at(&format!("/teams/{index}"), team.parse::<TeamName>())));
        }
        match handle {
            Some(handle) if faults.is_empty() => {
                let mut agent = NewAgent::named(handle);
                agent.person = self.person_id.map(PersonId);
                agent.name = name.or(agent.name);
                agent.email = email;
                agent.capacity = self.capacity;
                Ok((agent, teams))
            }
            _ => Err(faults),
        }
    }
}
