//! `POST /v1/tickets`: open a ticket.

use shared_kernel::{Requester, Role, TeamId};
use std::collections::BTreeSet;

use axum::extract::{Request as HttpRequest, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::routing::post;
use desk::{AsOf, Caller, DeskError};
use serde::Deserialize;
use serde_json::{Value, json};
use ticket_aggregate::{Channel, Command, CommandKind, Open, Priority, Tag, TicketId, TicketNumber};
use utoipa::ToSchema;
use uuid::Uuid;

use super::bodies::parsed;
use super::command::{Incoming, invalid};
use super::commands::PriorityWord;
use super::done;
use crate::App;
use crate::admission::LoadClass;
use crate::authenticate::Authenticated;
use crate::guard::{Guard, GuardedCommand};
use crate::problem::{Code, FieldError, Problem};
use crate::route::{Operation, Route, json_of};
use crate::view::TicketView;

/// A request for help.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenTicket {
    /// What it is about; one line.
    #[schema(min_length = 1, max_length = 300, pattern = "line")]
    subject: String,
    /// The first message.
    #[schema(min_length = 1, max_length = 65_536, pattern = "prose")]
    body: String,
    /// `normal` if not given.
    priority: Option<PriorityWord>,
    /// The team whose queue it goes to.
    #[schema(min_length = 1, max_length = 64, pattern = "line")]
    team: Option<String>,
    #[schema(min_length = 1, max_length = 100, pattern = "line")]
    category: Option<String>,
    #[schema(max_items = 100)]
    tags: Option<Vec<TagText>>,
    /// The way by which it came: `api` if not given.
    #[schema(min_length = 1, max_length = 64, pattern = "line")]
    channel: Option<String>,
    /// The id that it has where it came from, such as a mail's Message-ID. The same again is refused.
    #[schema(min_length = 1, max_length = 1000, pattern = "line")]
    source_id: Option<String>,
    /// Who asks. A requester asks for themselves.
    requester: Option<OpenFor>,
    /// The ticket that this one goes on from.
    follow_up_of: Option<Uuid>,
}

/// Who asks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenFor {
    #[schema(format = Email, max_length = 254, pattern = "address", example = "grace@example.com")]
    email: String,
    #[schema(max_length = 200, pattern = "printable", example = "Grace")]
    name: Option<String>,
}

/// A tag.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(min_length = 1, max_length = 100, pattern = "line", example = "printer")]
pub(crate) struct TagText(pub(crate) String);

pub(crate) fn example() -> Value {
    json!({
        "subject": "The printer is on fire", "body": "Please come with water.", "priority": "urgent",
        "tags": ["printer"], "requester": {"email": "grace@example.com", "name": "Grace"},
    })
}

const OPEN: GuardedCommand =
    GuardedCommand { name: CommandKind::Open.as_str(), allows: |role| CommandKind::Open.is_open_to(role) };

pub(crate) fn route() -> Route {
    Route {
        method: Method::POST,
        path: "/v1/tickets",
        guard: Guard::Command(OPEN),
            load: LoadClass::Command,
            documented: true,
        operation: Operation::new(
            "open_ticket",
            "tickets",
            "Open a ticket",
            "Records a new ticket and gives it a number. A `source_id` makes it unique within its channel, an Idempotency-Key makes a retry harmless.",
        )
        .parameter(super::bodies::idempotency_key())
        .body("OpenTicket", example())
        .success(
            StatusCode::CREATED,
            "The ticket.",
            &["ETag", "Location", "Docket-Position", "Idempotent-Replayed"],
            json_of("Ticket", &TicketView::example()),
        )
        .errors(&[
            Code::Forbidden,
            Code::ContentTooLarge,
            Code::BodyTimeout,
            Code::UnsupportedMediaType,
            Code::InvalidIdempotencyKey,
            Code::IdempotencyKeyReused,
            Code::InvalidJson,
            Code::InvalidQuery,
            Code::BadRequest,
            Code::ValidationFailed,
            Code::SourceIdUsed,
            Code::OutcomeUnknown,
        ]),
        handler: post(open),
    }
}

async fn open(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<Response, Problem> {
    let incoming = Incoming::read(&app, request).await?;
    let mut request = incoming.request(&app, TicketId((app.config.new_id)()), &caller);
    request.idempotency = incoming.idempotency(StatusCode::CREATED)?;
    let command = match incoming.body::<OpenTicket>(&app, "OpenTicket") {
        Ok(body) => body.into_command(&app, &caller).await,
        Err(problem) => Err(problem),
    };
    let answer = match command {
        Ok(command) => {
            request.commands = vec![command];
            app.desk.execute(request).await?
        }
        // a key that was used goes before what is wrong with the body
        Err(problem) => app.desk.repeated(&request).await?.ok_or(problem)?,
    };
    let made = answer.ticket.id;
    Ok(done(&caller, &answer, StatusCode::CREATED, Some(made)))
}

impl OpenTicket {
    async fn into_command(self, app: &App, caller: &Caller) -> Result<Command, Problem> {
        let open = self.parse(caller).map_err(|faults| Problem::invalid(Code::ValidationFailed, faults))?;
        if let Some(before) = open.follow_up_of {
            match app.desk.ticket(before, AsOf::Now, caller).await {
                Err(DeskError::NotFound) => {
                    return Err(invalid(FieldError::new(
                        "/follow_up_of",
                        "There is no such ticket; name one that you can see.",
                    )));
                }
                found => found.map(|_| ())?,
            }
        }
        let number = app.desk.next_number().await?;
        Ok(Command::Open(Open { number, ..open }))
    }

    /// The command but for its number, or every fault.
    fn parse(self, caller: &Caller) -> Result<Open, Vec<FieldError>> {
        let mut faults = Vec::new();
        let requester = match (self.requester, caller.role) {
            (Some(person), _) => {
                parsed(&mut faults, "/requester/email", Requester::parse(&person.email, person.name.as_deref()))
            }
            (None, Role::Requester) => Requester::parse(&caller.id, caller.name.as_deref()).ok(),
            (None, _) => None,
        };
        let tags = self.tags.unwrap_or_default();
        let tags = tags
            .iter()
            .enumerate()
            .filter_map(|(index, tag)| parsed(&mut faults, &format!("/tags/{index}"), Tag::parse(&tag.0)));
        let tags = tags.collect::<BTreeSet<_>>();
        let team = self.team.and_then(|team| parsed(&mut faults, "/team", TeamId::parse(&team)));
        let channel = self.channel.and_then(|channel| parsed(&mut faults, "/channel", Channel::parse(&channel)));
        let number = parsed(&mut faults, "", TicketNumber::try_from(1));
        match number {
            Some(number) if faults.is_empty() => Ok(Open {
                number,
                subject: self.subject,
                body: self.body,
                requester,
                channel: channel.unwrap_or_default(),
                priority: self.priority.map_or(Priority::Normal, Into::into),
                category: self.category,
                team,
                tags,
                source_id: self.source_id,
                follow_up_of: self.follow_up_of.map(TicketId),
            }),
            _ => Err(faults),
        }
    }
}
