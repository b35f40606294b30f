//! `POST /v1/people`.

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use axum::routing::post;
use person_aggregate::{ExternalName, IdentityValue, Person, PersonName};
use serde::Deserialize;
use serde_json::json;
use shared_kernel::{EmailAddress, PersonId};
use utoipa::ToSchema;

use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::command::CommandRequest;
use crate::guard::Guard;
use crate::problem::{Code, Faults, FieldError, Problem, at};
use crate::route::Route;
use crate::routes::records::{create_route, created};

/// At least one of these.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreatePerson {
    #[schema(min_length = 1, max_length = 200, pattern = "line")]
    name: Option<String>,
    #[schema(max_length = 254, pattern = "address", example = "grace@example.com")]
    email: Option<String>,
    /// What they are called in another system: a customer number, a login.
    #[schema(min_length = 1, max_length = 200, pattern = "line")]
    external: Option<String>,
}

impl CreatePerson {
    fn parse(self) -> Result<(Option<PersonName>, Vec<IdentityValue>), Faults> {
        let mut faults = Faults::default();
        if self.name.is_none() && self.email.is_none() && self.external.is_none() {
            faults.add(FieldError::new("", "give a name, an email or an external name"));
        }
        let name = self.name.and_then(|name| faults.take(at("/name", PersonName::parse(&name))));
        let email = self.email.and_then(|email| faults.take(at("/email", EmailAddress::parse(&email))));
        let external = self.external.and_then(|name| faults.take(at("/external", ExternalName::parse(&name))));
        if !faults.is_empty() {
            return Err(faults);
        }
        let identities = email.map(IdentityValue::Email).into_iter().chain(external.map(IdentityValue::External));
        Ok((name, identities.collect()))
    }
}

pub(super) fn route() -> Route {
    let route = Route::new(Method::POST, "/v1/people", Guard::Staff, LoadClass::Command, post(handle)).operation(
        "create_person",
        "people",
        "Register a person",
        "Opening a ticket for an unknown address does the same. An address belongs to one person at a time.",
    );
    create_route::<Person, CreatePerson>(route, json!({"name": "Grace", "email": "grace@example.com"}))
}

async fn handle(State(app): State<App>, request: CommandRequest<CreatePerson>) -> Result<Response, Problem> {
    let CommandRequest { body, mut context } = request;
    let (name, identities) = body.parse().map_err(|faults| Problem::faults(Code::ValidationFailed, faults))?;
    let id = PersonId((app.config.new_id)());
    let done = app.desk.register_person(id, name, identities, context.call(&app)).await;
    created::<Person>(&app, done, context).await
}
