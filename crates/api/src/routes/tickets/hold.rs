//! `POST /v1/tickets/{id}/hold`.

use axum::http::Method;
use chrono::{DateTime, Datelike, Utc};
use desk::TicketCommand;
use serde::Deserialize;
use serde_json::json;
use ticket_aggregate::{Command, CommandKind};
use utoipa::ToSchema;

use super::command::{self, CommandBody};
use crate::problem::FieldError;
use crate::route::Route;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Hold {
    #[schema(min_length = 1, max_length = 1000, pattern = "prose")]
    reason: String,
    /// In the future.
    wake_at: Option<DateTime<Utc>>,
}

impl CommandBody for Hold {
    const KIND: CommandKind = CommandKind::Hold;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(Command::Hold { reason: self.reason, wake_at: self.wake_at.map(within_the_calendar).transpose()? }.into())
    }
}

pub(super) fn route() -> Route {
    command::route::<Hold>(
        Method::POST,
        "/v1/tickets/{id}/hold",
        json!({"reason": "A new printer is ordered.", "wake_at": "2099-01-31T09:00:00Z"}),
    )
    .operation(
        "hold_ticket",
        "tickets",
        "Put the ticket on hold",
        "The ticket waits for something other than the requester.",
    )
}

/// An offset can carry a time out of the years that RFC 3339 can write, and then nobody could read it any more.
fn within_the_calendar(wake_at: DateTime<Utc>) -> Result<DateTime<Utc>, FieldError> {
    let fault = || FieldError::new("/wake_at", "must not be after the year 9999 of UTC");
    if wake_at.year() <= 9_999 { Ok(wake_at) } else { Err(fault()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(
            command::parsed::<Hold>(json!({"reason": "x"})),
            Ok(Command::Hold { reason: "x".into(), wake_at: None }.into())
        );
    }

    #[test]
    fn wake_at_is_within_the_calendar() {
        let hold = |wake_at: &str| command::parsed::<Hold>(json!({"reason": "x", "wake_at": wake_at}));
        assert!(hold("9999-12-31T23:59:59Z").is_ok());
        assert_eq!(hold("9999-12-31T23:59:59-23:59").unwrap_err().pointer, "/wake_at");
    }
}
