//! What all commands to a ticket have in common: how a route is made of one, and how it is executed.

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use desk::{DeskError, Request, TicketCommand};
use serde::de::DeserializeOwned;
use serde_json::Value;
use ticket_aggregate::{CommandKind, Tag, TicketId};
use utoipa::ToSchema;

use super::view::{TICKET, TicketView};
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::command::{CommandContext, CommandRequest};
use crate::extract::path::PathId;
use crate::guard::{Guard, GuardedCommand};
use crate::handles::Handles;
use crate::problem::{Code, FieldError, Problem, at};
use crate::respond::{ANSWER_HEADERS, Changed};
use crate::route::{CommandStyle, Route};

/// The body of a command.
pub(super) trait CommandBody: DeserializeOwned + ToSchema + Send + 'static {
    const KIND: CommandKind;
    const STYLE: CommandStyle = CommandStyle::Change;

    /// The command, or the fault of a value that the schema can't express.
    fn into_command(self) -> Result<TicketCommand, FieldError>;
}

/// The route of a command. What it is for is said by `Route::operation`.
pub(super) fn route<C: CommandBody>(method: Method, path: &'static str, example: Value) -> Route {
    let filter = MethodFilter::try_from(method.clone()).expect("a standard method");
    let guard = Guard::Command(GuardedCommand { name: C::KIND.as_str(), allows: |role| C::KIND.is_open_to(role) });
    Route::new(method, path, guard, LoadClass::Command, on(filter, handle::<C>))
        .resource(TICKET)
        .command::<C>(C::STYLE, example)
        .returns::<TicketView>(
            C::STYLE.status(),
            "The ticket after the command.",
            ANSWER_HEADERS,
            &TicketView::example(),
        )
        .errors(&[Code::IllegalTransition])
}

async fn handle<C: CommandBody>(
    State(app): State<App>,
    PathId(ticket): PathId,
    request: CommandRequest<C>,
) -> Result<Response, Problem> {
    let command = request.body.into_command().map_err(Problem::invalid)?;
    execute(&app, TicketId(ticket), vec![command], request.context).await
}

/// Executes commands to one ticket as a unit, and answers with the ticket after them.
pub(super) async fn execute(
    app: &App,
    ticket: TicketId,
    commands: Vec<TicketCommand>,
    mut context: CommandContext,
) -> Result<Response, Problem> {
    let (opens, several) = (matches!(commands.first(), Some(TicketCommand::Open { .. })), context.is_several());
    let mut request = Request::new(ticket, commands, context.call(app));
    request.may_open_follow_up = !several;
    let outcome = app.desk.execute(request).await.map_err(|error| problem(error, several))?;
    // a reply to a closed ticket is answered with another one: the follow-up
    let made = opens || outcome.ticket.id != ticket;
    let handles = Handles::of_tickets(app, [&outcome.ticket.state]).await?;
    let changed = Changed {
        record: TicketView::of(&outcome.ticket, &handles, &context.caller),
        version: outcome.ticket.version,
        position: outcome.position,
        replayed: outcome.replayed,
        location: made.then(|| format!("/v1/tickets/{}", outcome.ticket.id)),
    };
    Ok(context.respond(&changed))
}

/// Of several commands, the one that was refused is named.
fn problem(error: DeskError, several: bool) -> Problem {
    let index = error.command().filter(|_| several);
    let problem = Problem::from(error);
    match index {
        Some(index) => problem.below(&format!("/commands/{index}")).with("command", index),
        None => problem,
    }
}

/// A tag.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(min_length = 1, max_length = 100, pattern = "line", example = "printer")]
pub(super) struct TagText(pub(super) String);

pub(super) fn tags(texts: &[TagText]) -> Result<std::collections::BTreeSet<Tag>, FieldError> {
    texts.iter().enumerate().map(|(index, tag)| at(&format!("/tags/{index}"), Tag::parse(&tag.0))).collect()
}

/// The command that a body means.
#[cfg(test)]
pub(super) fn parsed<C: CommandBody>(body: Value) -> Result<TicketCommand, FieldError> {
    serde_json::from_value::<C>(body).map_err(|error| FieldError::new("", error.to_string()))?.into_command()
}
