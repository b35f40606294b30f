//! `POST /v1/people/{id}/merge`.

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use axum::routing::post;
use person_aggregate::Person;
use serde::Deserialize;
use serde_json::json;
use shared_kernel::PersonId;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::command::CommandRequest;
use crate::guard::Guard;
use crate::problem::Problem;
use crate::route::{CommandStyle, Route};
use crate::routes::records::{Named, changed, changing, of_record};
use crate::schema::EXAMPLE_PERSON;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MergePerson {
    /// The person who stays.
    into: Uuid,
}

pub(super) fn route() -> Route {
    let path = "/v1/people/{id}/merge";
    let route = Route::new(Method::POST, path, Guard::Leads, LoadClass::Command, post(handle)).operation(
        "merge_person",
        "people",
        "Merge a person into another one",
        "For good. The other sees and is what this one was; nothing recorded changes. For leads and admins.",
    );
    let route = of_record::<Person>(route);
    changing::<Person>(
        route.command::<MergePerson>(CommandStyle::Change, json!({"into": EXAMPLE_PERSON})),
        CommandStyle::Change,
    )
}

async fn handle(
    State(app): State<App>,
    name: Named<Person>,
    request: CommandRequest<MergePerson>,
) -> Result<Response, Problem> {
    let CommandRequest { body, mut context } = request;
    let id = name.find(&app).await?;
    let done = app.desk.merge_people(id, PersonId(body.into), context.call(&app)).await;
    changed::<Person>(&app, id, done, context).await
}
