//! `POST /v1/tickets`: open a ticket.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::routing::post;
use desk::{AsOf, DeskError, PersonName, TeamName, TicketCommand};
use serde::Deserialize;
use serde_json::json;
use shared_kernel::Role;
use ticket_aggregate::{Channel, CommandKind, Open, Priority, TicketId, TicketNumber};
use utoipa::ToSchema;
use uuid::Uuid;

use super::asker::Asker;
use super::command::{TagText, execute, tags};
use super::view::TicketView;
use super::vocabulary;
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::command::CommandRequest;
use crate::guard::{Guard, GuardedCommand};
use crate::problem::{Code, Faults, FieldError, Problem, at};
use crate::respond::CREATED_HEADERS;
use crate::route::{CommandStyle, Route};

/// A request for help. Requesters may give `subject`, `body`, `source_id` and `follow_up_of`; the rest is for agents.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenTicket {
    /// One line.
    #[schema(min_length = 1, max_length = 300, pattern = "line")]
    subject: String,
    /// The first message.
    #[schema(min_length = 1, max_length = 65_536, pattern = "prose")]
    body: String,
    /// Default: `normal`.
    #[schema(value_type = Option<vocabulary::Priority>)]
    priority: Option<Priority>,
    /// The team whose queue it goes to: its handle or id.
    #[schema(min_length = 1, max_length = 64, pattern = "line")]
    team: Option<String>,
    #[schema(min_length = 1, max_length = 100, pattern = "line")]
    category: Option<String>,
    #[schema(max_items = 100)]
    tags: Option<Vec<TagText>>,
    /// Default: `api`.
    #[schema(min_length = 1, max_length = 64, pattern = "line")]
    channel: Option<String>,
    /// The id of the request at its source, such as a mail's Message-ID. It is unique within the channel and, for requesters,
    /// among their own; the same id again is refused.
    #[schema(min_length = 1, max_length = 1000, pattern = "line")]
    source_id: Option<String>,
    /// The person who asks. Requesters ask for themselves.
    requester: Option<Asker>,
    /// The ticket that this one continues.
    follow_up_of: Option<Uuid>,
}

const OPEN: GuardedCommand =
    GuardedCommand { name: CommandKind::Open.as_str(), allows: |role| CommandKind::Open.is_open_to(role) };

pub(super) fn route() -> Route {
    let example = json!({
        "subject": "The printer is on fire", "body": "Please come with water.", "priority": "urgent",
        "tags": ["printer"], "requester": {"email": "grace@example.com", "name": "Grace"},
    });
    Route::new(Method::POST, "/v1/tickets", Guard::Command(OPEN), LoadClass::Command, post(handle))
        .operation(
            "open_ticket",
            "tickets",
            "Open a ticket",
            "Records a new ticket and gives it a number. A `source_id` is accepted once, an Idempotency-Key makes a retry safe.",
        )
        .command::<OpenTicket>(CommandStyle::Create, example)
        .returns::<TicketView>(
            StatusCode::CREATED,
            "The ticket.",
            CREATED_HEADERS,
            &TicketView::example(),
        )
        .errors(&[Code::SourceIdUsed, Code::PersonBlocked])
}

async fn handle(State(app): State<App>, request: CommandRequest<OpenTicket>) -> Result<Response, Problem> {
    let CommandRequest { body, context } = request;
    body.check_reserved(context.caller.role)?;
    let Parsed { open, requester, team } =
        body.parse().map_err(|faults| Problem::faults(Code::ValidationFailed, faults))?;
    if let Some(before) = open.follow_up_of {
        match app.desk.ticket(before, AsOf::Now, &context.caller).await {
            Err(DeskError::NotFound) => {
                let detail = "There is no such ticket; name one that you can see.";
                return Err(Problem::invalid(FieldError::new("/follow_up_of", detail)));
            }
            found => drop(found?),
        }
    }
    let number = app.desk.next_number().await?;
    let id = TicketId((app.config.new_id)());
    let open = TicketCommand::Open { open: Open { number, ..open }, requester, team };
    execute(&app, id, vec![open], context).await
}

/// A command but for its ticket's number.
struct Parsed {
    open: Open,
    requester: Option<PersonName>,
    team: Option<TeamName>,
}

impl OpenTicket {
    /// What requesters may not decide is refused, not ignored: 403 names the members.
    fn check_reserved(&self, role: Role) -> Result<(), Problem> {
        match role {
            Role::Agent | Role::Lead | Role::Admin | Role::System => return Ok(()),
            Role::Requester => {}
        }
        let reserved = [
            ("/priority", self.priority.is_some()),
            ("/team", self.team.is_some()),
            ("/category", self.category.is_some()),
            ("/tags", self.tags.is_some()),
            ("/channel", self.channel.as_ref().is_some_and(|channel| channel != Channel::default().as_str())),
        ];
        let mut faults = Faults::default();
        for (member, _) in reserved.into_iter().filter(|(_, given)| *given) {
            faults.add(FieldError::new(member, "only agents may set this"));
        }
        if faults.is_empty() {
            return Ok(());
        }
        Err(Problem::faults(Code::Forbidden, faults).with("rule", "reserved_for_staff"))
    }

    /// The command, or every fault.
    fn parse(self) -> Result<Parsed, Faults> {
        let mut faults = Faults::default();
        let requester = self.requester.and_then(|asker| faults.take(asker.parse()));
        let tags = faults.take(tags(&self.tags.unwrap_or_default()));
        let team = self.team.and_then(|team| faults.take(at("/team", team.parse())));
        let channel = self.channel.map(|channel| at("/channel", Channel::parse(&channel)));
        let channel = channel.and_then(|channel| faults.take(channel));
        if !faults.is_empty() {
            return Err(faults);
        }
        let open = Open {
            number: TicketNumber::try_from(1).expect("numbers begin with 1"),
            subject: self.subject,
            body: self.body,
            requester: None,
            channel: channel.unwrap_or_default(),
            priority: self.priority.unwrap_or_default(),
            category: self.category,
            team: None,
            tags: tags.unwrap_or_default(),
            source_id: self.source_id,
            follow_up_of: self.follow_up_of.map(TicketId),
        };
        Ok(Parsed { open, requester, team })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn refused(more: &Value, role: Role) -> bool {
        let mut body = json!({"subject": "x", "body": "x"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value::<OpenTicket>(body).unwrap().check_reserved(role).is_err()
    }

    #[test]
    fn requester_may_not_set_reserved_fields() {
        for reserved in [
            json!({"priority": "normal"}),
            json!({"team": "it"}),
            json!({"category": "x"}),
            json!({"tags": []}),
            json!({"channel": "email"}),
        ] {
            assert!(refused(&reserved, Role::Requester), "{reserved}");
            assert!(!refused(&reserved, Role::Agent), "{reserved}");
        }
        for free in [json!({}), json!({"channel": "api"}), json!({"source_id": "1"})] {
            assert!(!refused(&free, Role::Requester), "{free}");
        }
    }
}
