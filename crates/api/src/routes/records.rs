//! What the routes of people, agents and settings have in common: a record is read, as it is or as it was; its events are read
//! page by page; commands change it.

use std::str::FromStr;

use axum::Json;
use axum::extract::{FromRequestParts, RawPathParams, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use desk::{Committed, DeskError, Precondition, Record};
use eventstore::Version;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::{PartialSchema, ToSchema};

use super::as_of::{as_of, described};
use super::history::{EventView, HistoryView};
use super::pages::{Page, cursor, paged};
use super::problem::precondition_failed;
use crate::admission::LoadClass;
use crate::app::App;
use crate::endpoint::Endpoint;
use crate::extract::command::{CommandContext, CommandRequest};
use crate::guard::Guard;
use crate::problem::{Code, Problem};
use crate::respond::{ANSWER_HEADERS, CREATED_HEADERS, Changed, current};
use crate::route::{CommandStyle, ResourceType, Route};

/// How many events since the caller's version a 412 tells of.
const BETWEEN: usize = 200;

/// A kind of record over HTTP.
pub(super) trait Resource: Record {
    /// What it is called, and the schema of [`Self::View`].
    const RESOURCE: ResourceType;
    /// The path of all of them: `/v1/teams`.
    const PATH: &'static str;
    /// Whether a path may name one by its handle.
    const HAS_HANDLE: bool;

    /// How a path names one.
    type Name: FromStr + Send;
    /// How one is shown. Nothing in it depends on the clock or on another record's version.
    type View: Serialize + ToSchema + PartialSchema + Send;

    /// The record that is named, if there is one.
    fn find(app: &App, name: Self::Name) -> impl Future<Output = Result<Option<Self::Id>, DeskError>> + Send;

    /// The record as clients see it.
    fn view(
        app: &App,
        id: Self::Id,
        version: Version,
        record: &Self::State,
    ) -> impl Future<Output = Result<Self::View, DeskError>> + Send;

    /// For the document.
    fn example() -> Value;
}

/// The body of a command to a record.
pub(super) trait RecordCommand<A: Resource>:
    DeserializeOwned + ToSchema + PartialSchema + Send + 'static
{
    /// The command; the application, to look up what the body names.
    fn into_command(self, app: &App) -> impl Future<Output = Result<A::Command, Problem>> + Send;
}

/// The record that a path's `{id}` names. What is no name is no record: 404.
pub(super) struct Named<A: Resource>(A::Name);

impl<A: Resource> Named<A> {
    /// Its id. 404 if there is none.
    pub(super) async fn find(self, app: &App) -> Result<A::Id, Problem> {
        let missing = DeskError::NoSuchRecord { kind: A::NOUN };
        Ok(A::find(app, self.0).await?.ok_or(missing)?)
    }
}

impl<A: Resource> FromRequestParts<App> for Named<A> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let parameters = RawPathParams::from_request_parts(parts, app).await.ok();
        let name = parameters.and_then(|all| all.iter().find(|(name, _)| *name == "id")?.1.parse().ok());
        name.map(Self).ok_or_else(|| Endpoint::of(&parts.extensions).not_found())
    }
}

/// A route whose path names a record.
pub(super) fn of_record<A: Resource>(route: Route) -> Route {
    if A::HAS_HANDLE { route.resource_by_handle(A::RESOURCE) } else { route.resource(A::RESOURCE) }
}

/// `GET /v1/…/{id}`.
pub(super) fn get_route<A: Resource>(path: &'static str) -> Route {
    let route = Route::new(Method::GET, path, Guard::Staff, LoadClass::Log, get(read::<A>));
    described(of_record::<A>(route))
        .returns::<A::View>(StatusCode::OK, "The record.", &["ETag"], &A::example())
        .not_modified()
}

async fn read<A: Resource>(
    State(app): State<App>,
    name: Named<A>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let at = as_of(query.as_deref())?;
    let id = name.find(&app).await?;
    let record = app.desk.record::<A>(id, at).await?;
    let view = A::view(&app, id, record.version, &record.state).await?;
    Ok(current(&headers, record.version, || Json(view).into_response()))
}

/// `GET /v1/…/{id}/history`.
pub(super) fn history_route<A: Resource>(path: &'static str) -> Route {
    let route = Route::new(Method::GET, path, Guard::Staff, LoadClass::Log, get(history::<A>));
    paged(of_record::<A>(route))
        .returns::<HistoryView>(StatusCode::OK, "The events.", &["ETag", "Link"], &HistoryView::example())
        .not_modified()
}

async fn history<A: Resource>(
    State(app): State<App>,
    name: Named<A>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let page = Page::read(query.as_deref())?;
    let id = name.find(&app).await?;
    let (record, entries, next) = app.desk.record_history::<A>(id, page.after, page.size()).await?;
    Ok(current(&headers, record.version, || {
        let items = entries.iter().map(EventView::from).collect();
        let path = format!("{}/{id}/history", A::PATH);
        page.linked(&path, next, Json(HistoryView { items, next_cursor: cursor(next) }).into_response())
    }))
}

/// `POST /v1/…`: makes a record. The handler answers with [`created`].
pub(super) fn create_route<A: Resource, B: ToSchema + PartialSchema>(route: Route, example: Value) -> Route {
    route
        .command::<B>(CommandStyle::Create, example)
        .returns::<A::View>(StatusCode::CREATED, "The record.", CREATED_HEADERS, &A::example())
        .errors(&[Code::NameUsed])
}

/// `POST /v1/…/{id}/COMMAND`.
pub(super) fn command_route<A: Resource, C: RecordCommand<A>>(
    path: &'static str,
    guard: Guard,
    style: CommandStyle,
    example: Value,
) -> Route {
    let route = Route::new(Method::POST, path, guard, LoadClass::Command, post(command::<A, C>));
    changing::<A>(of_record::<A>(route).command::<C>(style, example), style)
}

/// A route that answers with the record after a command.
pub(super) fn changing<A: Resource>(route: Route, style: CommandStyle) -> Route {
    route
        .returns::<A::View>(style.status(), "The record after the command.", ANSWER_HEADERS, &A::example())
        .errors(&[Code::CommandRefused])
}

async fn command<A: Resource, C: RecordCommand<A>>(
    State(app): State<App>,
    name: Named<A>,
    request: CommandRequest<C>,
) -> Result<Response, Problem> {
    let CommandRequest { body, context } = request;
    let id = name.find(&app).await?;
    let command = body.into_command(&app).await?;
    change::<A>(&app, id, command, context).await
}

/// Executes a command on a record, and answers with the record after it.
pub(super) async fn change<A: Resource>(
    app: &App,
    id: A::Id,
    command: A::Command,
    mut context: CommandContext,
) -> Result<Response, Problem> {
    let done = app.desk.change::<A>(id, vec![command], context.call(app)).await;
    changed::<A>(app, id, done, context).await
}

/// The answer to a command on a record.
pub(super) async fn changed<A: Resource>(
    app: &App,
    id: A::Id,
    done: Result<Committed<A>, DeskError>,
    context: CommandContext,
) -> Result<Response, Problem> {
    match done {
        Ok(done) => answer::<A>(app, &done, None, context).await,
        Err(DeskError::PreconditionFailed { current, .. }) => {
            Err(stale::<A>(app, id, &context.precondition, current).await?)
        }
        Err(error) => Err(error.into()),
    }
}

/// The answer to a command that makes a record.
pub(super) async fn created<A: Resource>(
    app: &App,
    done: Result<Committed<A>, DeskError>,
    context: CommandContext,
) -> Result<Response, Problem> {
    let done = done?;
    let location = format!("{}/{}", A::PATH, done.record.id);
    answer::<A>(app, &done, Some(location), context).await
}

async fn answer<A: Resource>(
    app: &App,
    done: &Committed<A>,
    location: Option<String>,
    context: CommandContext,
) -> Result<Response, Problem> {
    let record = &done.record;
    let changed = Changed {
        record: A::view(app, record.id, record.version, &record.state).await?,
        version: record.version,
        position: done.position,
        replayed: done.replayed,
        location,
    };
    Ok(context.respond(&changed))
}

/// 412, with the events since the newest version that the caller knew.
async fn stale<A: Resource>(app: &App, id: A::Id, known: &Precondition, current: Version) -> Result<Problem, Problem> {
    let newest = match known {
        Precondition::Any => None,
        Precondition::OneOf(versions) => versions.iter().copied().filter(|known| *known < current).max(),
    };
    let Some(newest) = newest else { return Ok(precondition_failed(current, &[], None)) };
    let (record, entries, more) = app.desk.record_history::<A>(id, newest, BETWEEN).await?;
    let events: Vec<_> = entries.iter().map(EventView::from).collect();
    Ok(precondition_failed(record.version, &events, more))
}
