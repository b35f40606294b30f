//! What a body of a command has to be: its members are its schema, its schema is the contract.

use axum::http::{Method, StatusCode};
use axum::routing::{MethodFilter, on};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared_kernel::ValueError;
use ticket_aggregate::{Command, CommandKind};
use utoipa::ToSchema;

use super::command::handle;
use crate::admission::LoadClass;
use crate::conditional::if_match_schema;
use crate::guard::{Guard, GuardedCommand};
use crate::idempotency;
use crate::problem::{Code, FieldError};
use crate::route::{Operation, Route, header_parameter, json_of, of_schema, ticket_id_parameter};
use crate::view::TicketView;

/// How a command is sent and answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Changes what others may have changed meanwhile, and so needs `If-Match`.
    Change,
    /// Adds a message, which takes nothing from anybody: `If-Match` is honoured, not needed.
    AddMessage,
    /// Adds to a set.
    Add,
    /// DELETE: removes from a set what the POST on the same path adds.
    Remove,
}

impl Form {
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::AddMessage => StatusCode::CREATED,
            Self::Change | Self::Add | Self::Remove => StatusCode::OK,
        }
    }

    pub(super) const fn needs_if_match(self) -> bool {
        matches!(self, Self::Change | Self::Remove)
    }
}

/// The body of a command, and what the contract says of it.
pub(crate) trait Body: DeserializeOwned + ToSchema + Send + 'static {
    const KIND: CommandKind;
    const FORM: Form;
    const PATH: &'static str;
    /// The `operationId`.
    const ID: &'static str;
    /// The name of its schema.
    const SCHEMA: &'static str;
    const SUMMARY: &'static str;
    const DESCRIPTION: &'static str;

    fn example() -> Value;
    fn into_command(self) -> Result<Command, FieldError>;
}

/// A value, or its fault in the list.
pub(super) fn parsed<T>(faults: &mut Vec<FieldError>, pointer: &str, value: Result<T, ValueError>) -> Option<T> {
    value.map_err(|error| faults.push(FieldError::new(pointer, error.to_string()))).ok()
}

pub(super) fn at<T>(pointer: &str, value: Result<T, ValueError>) -> Result<T, FieldError> {
    value.map_err(|error| FieldError::new(pointer, error.to_string()))
}

pub(super) fn idempotency_key() -> Value {
    let said = "Names this request: a repetition with the same key gets the same answer and does nothing again. Kept for \
                at least 24 hours.";
    let parameter = header_parameter("Idempotency-Key", false, said, "8e03978e-40d5-43dd-bc93-6894a57f9324");
    of_schema(parameter, json!({"type": "string", "minLength": 1, "pattern": idempotency::FORM}))
}

pub(super) fn route<B: Body>() -> Route {
    let needed = B::FORM.needs_if_match();
    let if_match = if needed {
        "The ETag of the ticket as you have seen it, several of them, or * for whatever it is."
    } else {
        "Only if the ticket is at this version."
    };
    let mut operation = Operation::new(B::ID, "tickets", B::SUMMARY, B::DESCRIPTION.trim())
        .parameter(ticket_id_parameter())
        .parameter(of_schema(header_parameter("If-Match", needed, if_match, "\"3\""), if_match_schema()))
        .parameter(idempotency_key())
        .body(B::SCHEMA, B::example())
        .success(
            B::FORM.status(),
            "The ticket after it.",
            &["ETag", "Docket-Position", "Idempotent-Replayed"],
            json_of("Ticket", &TicketView::example()),
        )
        .errors(&[
            Code::NotFound,
            Code::Forbidden,
            Code::ContentTooLarge,
            Code::BodyTimeout,
            Code::UnsupportedMediaType,
            Code::InvalidIdempotencyKey,
            Code::IdempotencyKeyReused,
            Code::PreconditionFailed,
            Code::InvalidIfMatch,
            Code::InvalidJson,
            Code::InvalidQuery,
            Code::BadRequest,
            Code::ValidationFailed,
            Code::IllegalTransition,
            Code::CommandRefused,
            Code::NoAssignee,
            Code::NotTeamMember,
            Code::NoReplySinceRequester,
            Code::OpenBlockers,
            Code::ReopenDeadlinePassed,
            Code::ReopenWindowOpen,
            Code::AgentAlreadyReplied,
            Code::OutcomeUnknown,
        ]);
    if needed {
        operation = operation.errors(&[Code::PreconditionRequired]);
    }
    // a reply to a closed ticket opens another
    if B::KIND == CommandKind::Reply {
        operation = operation.errors(&[Code::SourceIdUsed]);
    }
    let (method, filter) = match B::FORM {
        Form::Remove => (Method::DELETE, MethodFilter::DELETE),
        Form::Change | Form::AddMessage | Form::Add => (Method::POST, MethodFilter::POST),
    };
    let guard = Guard::Command(GuardedCommand { name: B::KIND.as_str(), allows: |role| B::KIND.is_open_to(role) });
    let handler = on(filter, handle::<B>);
    Route { method, path: B::PATH, guard, load: LoadClass::Command, documented: true, operation, handler }
}
