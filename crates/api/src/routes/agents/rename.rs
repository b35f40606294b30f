//! `POST /v1/agents/{id}/rename`.

use agent_aggregate::Agent;
use axum::extract::State;
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use axum::routing::post;
use desk::AsOf;
use person_aggregate::Person;
use serde_json::json;

use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::command::CommandRequest;
use crate::guard::Guard;
use crate::problem::{Code, Problem};
use crate::route::{CommandStyle, Route};
use crate::routes::people::{PersonView, RenamePerson};
use crate::routes::records::{Named, RecordCommand, Resource, change, of_record};

pub(super) fn route() -> Route {
    let path = "/v1/agents/{id}/rename";
    let route = Route::new(Method::POST, path, Guard::Admins, LoadClass::Command, post(handle)).operation(
        "rename_agent",
        "agents",
        "Rename the person that an agent is",
        "`If-Match`, the answer and its `ETag` are the person's; `Content-Location` says where they are. The handle stays. For \
         admins.",
    );
    of_record::<Agent>(route)
        .command::<RenamePerson>(CommandStyle::Change, json!({"name": "Ada Lovelace"}))
        .returns::<PersonView>(
            CommandStyle::Change.status(),
            "The person after the command.",
            &["ETag", "Docket-Position", "Idempotent-Replayed", "Content-Location"],
            &Person::example(),
        )
        .errors(&[Code::CommandRefused])
}

async fn handle(
    State(app): State<App>,
    name: Named<Agent>,
    request: CommandRequest<RenamePerson>,
) -> Result<Response, Problem> {
    let CommandRequest { body, context } = request;
    let id = name.find(&app).await?;
    let command = body.into_command(&app).await?;
    let person = app.desk.record::<Agent>(id, AsOf::Now).await?.state.person;
    let mut response = change::<Person>(&app, person, command, context).await?;
    let location = HeaderValue::try_from(format!("{}/{person}", Person::PATH)).expect("a path is visible ASCII");
    response.headers_mut().insert(header::CONTENT_LOCATION, location);
    Ok(response)
}
