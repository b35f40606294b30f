//! Rejections of the ticket as problems, once. No wildcard arm: a new rejection does not compile until it has a code and a
//! pointer here.

use ticket_aggregate::Rejection;

use crate::problem::{Code, FieldError, Problem, sentence};

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let sentence = sentence(&rejection.to_string());
        let conflict = |code| Self::new(code, sentence.clone());
        let invalid = |pointer: &str| {
            Self::faults(Code::ValidationFailed, FieldError::new(pointer, sentence.clone()).into())
                .with("rule", rejection.code())
        };
        match &rejection {
            Rejection::Forbidden { .. }
            | Rejection::NotOwnTicket
            | Rejection::OpenForAnother
            | Rejection::ReservedForStaff { .. }
            | Rejection::AssignOthers { .. } => conflict(Code::Forbidden).with("rule", rejection.code()),

            Rejection::Blank { field } | Rejection::TooLong { field, .. } | Rejection::ControlCharacter { field } => {
                invalid(&format!("/{field}"))
            }
            Rejection::WakeAtInPast { .. } => invalid("/wake_at"),
            Rejection::ReasonRequired => invalid("/reason"),
            Rejection::ReservedCode { .. } => invalid("/code"),
            Rejection::LinkToItself => invalid("/other"),

            Rejection::IllegalTransition { status, allowed, .. } => {
                let allowed = allowed.iter().map(|command| command.as_str()).collect::<Vec<_>>();
                conflict(Code::IllegalTransition).with("status", status.as_str()).with("allowed_commands", allowed)
            }
            Rejection::OpenBlockers { tickets } => {
                let tickets = tickets.iter().map(ToString::to_string).collect::<Vec<_>>();
                conflict(Code::OpenBlockers).with("tickets", tickets)
            }
            Rejection::NoAssignee => conflict(Code::NoAssignee),
            Rejection::NotTeamMember { .. } => conflict(Code::NotTeamMember),
            Rejection::NoReplySinceRequester => conflict(Code::NoReplySinceRequester),
            Rejection::ReopenDeadlinePassed { .. } => conflict(Code::ReopenDeadlinePassed),
            Rejection::ReopenWindowOpen { .. } => conflict(Code::ReopenWindowOpen),
            Rejection::AgentAlreadyReplied => conflict(Code::AgentAlreadyReplied),
            Rejection::NotOpened
            | Rejection::AlreadyOpened
            | Rejection::TooManyTags { .. }
            | Rejection::TooManyFollowers { .. }
            | Rejection::TooManyLinks { .. }
            | Rejection::FollowUpNeeded { .. }
            | Rejection::WakeNotDue { .. }
            | Rejection::TimerSuperseded { .. } => conflict(Code::CommandRefused).with("rule", rejection.code()),
        }
    }
}
