use eventsourcing::ExecuteError;
use eventstore::{AppendError, StoreError, StreamId, Version};
use shared_kernel::{RejectionKind, codec};
use ticket_aggregate::{Rejection, TicketId};

use crate::{AuthError, Entry, KeyRejection};

/// What a command names and nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// The member of the command.
    pub field: &'static str,
    /// What it says.
    pub name: String,
}

/// Why the rules of a record other than a ticket refuse a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRejection {
    /// Forbidden, invalid or conflict.
    pub kind: RejectionKind,
    /// A stable word for programs.
    pub code: &'static str,
    /// The member of the command that is at fault, if it is one.
    pub field: Option<&'static str>,
    /// A sentence that says what to do.
    pub text: String,
}

/// Why the desk did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// There is no such ticket, or the caller may not see it: the two are one answer.
    #[error("there is no such ticket")]
    NotFound,
    /// The ticket is there, but not yet at that version or time.
    #[error("the ticket had no such version")]
    NoSuchVersion,
    /// The ticket is not at a version from which the command was to proceed.
    #[error("the ticket is at version {current}")]
    PreconditionFailed {
        /// The version that it is at.
        current: Version,
        /// What has happened since the version that the caller knew, as they may see it.
        between: Vec<Entry>,
        /// The version after which it goes on, where that is more than a page.
        more: Option<Version>,
    },
    /// The rules refuse a command.
    #[error("{rejection}")]
    Rejected {
        /// Which of the request's commands.
        index: usize,
        /// Why.
        rejection: Rejection,
    },
    /// The caller has used the idempotency key for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// A ticket was opened from the same source before.
    #[error("a ticket was opened with this source_id before")]
    SourceIdUsed {
        /// That ticket, if the caller may see it.
        ticket: Option<TicketId>,
    },
    /// The other ticket of a link is not there, or the caller may not see it.
    #[error("the other ticket is not there")]
    OtherNotFound {
        /// Which of the request's commands.
        index: usize,
    },
    /// A command names an agent, a team or a person whom nobody knows.
    #[error("unknown {}: {}", unknown.field, unknown.name)]
    UnknownName {
        /// Which of the request's commands.
        index: usize,
        /// What is unknown.
        unknown: UnknownName,
    },
    /// A ticket can't be opened for somebody who is blocked.
    #[error("this person is blocked; unblock them first")]
    PersonBlocked {
        /// Which of the request's commands.
        index: usize,
    },
    /// There is no such record of that kind.
    #[error("there is no such {kind}")]
    NoSuchRecord {
        /// What people call it: `person`, `agent`, `team`, `API key`.
        kind: &'static str,
    },
    /// The rules of a person, an agent, a setting or a key refuse a command.
    #[error("{}", rejection.text)]
    RecordRejected {
        /// Which of the request's commands.
        index: usize,
        /// Why.
        rejection: RecordRejection,
    },
    /// A handle, an e-mail address or another name belongs to another record.
    #[error("this {scope} belongs to another record")]
    NameUsed {
        /// What kind of name.
        scope: String,
        /// The stream of the record that has it.
        holder: StreamId,
    },
    /// Only leads and admins may do this to others.
    #[error("you may do this to yourself only")]
    OthersOnly,
    /// A key could not be made or read.
    #[error(transparent)]
    Key(AuthError),
    /// Others kept changing the ticket.
    #[error("the ticket is being changed by too many at once")]
    Contended,
    /// The log did not take it.
    #[error(transparent)]
    Append(AppendError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event can't be written as JSON.
    #[error(transparent)]
    Encode(#[from] codec::EncodeError),
    /// A recorded event can't be read.
    #[error("stream {stream} can't be read at version {version}: {reason}")]
    Corrupt {
        /// The stream.
        stream: StreamId,
        /// Which of its events.
        version: Version,
        /// Why.
        reason: String,
    },
}

impl DeskError {
    /// Which of the request's commands is refused, if it is one of them.
    pub const fn command(&self) -> Option<usize> {
        match self {
            Self::Rejected { index, .. }
            | Self::OtherNotFound { index }
            | Self::UnknownName { index, .. }
            | Self::PersonBlocked { index }
            | Self::RecordRejected { index, .. } => Some(*index),
            Self::NotFound
            | Self::NoSuchVersion
            | Self::PreconditionFailed { .. }
            | Self::KeyReused
            | Self::SourceIdUsed { .. }
            | Self::NoSuchRecord { .. }
            | Self::NameUsed { .. }
            | Self::OthersOnly
            | Self::Key(_)
            | Self::Contended
            | Self::Append(_)
            | Self::Store(_)
            | Self::Encode(_)
            | Self::Corrupt { .. } => None,
        }
    }
}

impl From<sqlx::Error> for DeskError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl DeskError {
    /// Whether somebody else has registered the same name, or the same id, in the meantime: a second run of an import derives
    /// the same ids.
    pub(crate) fn is_of_another_registration(&self) -> bool {
        match self {
            Self::NameUsed { .. } => true,
            Self::RecordRejected { rejection, .. } => {
                matches!(rejection.code, "already_registered" | "already_created")
            }
            _ => false,
        }
    }
}

impl From<agent_aggregate::Rejection> for RecordRejection {
    fn from(rejection: agent_aggregate::Rejection) -> Self {
        use agent_aggregate::Rejection as R;
        let field = match rejection {
            R::CapacityTooLarge { .. } => Some("capacity"),
            R::TooManySkills { .. } => Some("skills"),
            R::NotRegistered | R::AlreadyRegistered | R::TooManyTeams { .. } | R::AtCapacity { .. } => None,
        };
        Self { kind: rejection.kind(), code: rejection.code(), field, text: rejection.to_string() }
    }
}

impl From<person_aggregate::Rejection> for RecordRejection {
    fn from(rejection: person_aggregate::Rejection) -> Self {
        use person_aggregate::Rejection as R;
        let field = match rejection {
            R::Blank { field } | R::TooLong { field, .. } | R::ControlCharacter { field } => Some(field),
            R::MergeWithItself => Some("into"),
            R::NoSuchIdentity { .. } => Some("identity"),
            R::NotRegistered
            | R::AlreadyRegistered
            | R::MergedAway { .. }
            | R::TooManyIdentities { .. }
            | R::TooManyMerged { .. } => None,
        };
        Self { kind: rejection.kind(), code: rejection.code(), field, text: rejection.to_string() }
    }
}

impl From<settings_aggregate::Rejection> for RecordRejection {
    fn from(rejection: settings_aggregate::Rejection) -> Self {
        use settings_aggregate::Rejection as R;
        let field = match rejection {
            R::InvalidDocument { .. } => Some("document"),
            R::NotCreated | R::AlreadyCreated | R::Retired => None,
        };
        Self { kind: rejection.kind(), code: rejection.code(), field, text: rejection.to_string() }
    }
}

impl From<KeyRejection> for RecordRejection {
    fn from(rejection: KeyRejection) -> Self {
        let kind = RejectionKind::Conflict;
        Self { kind, code: rejection.code(), field: None, text: rejection.to_string() }
    }
}

impl From<KeyRejection> for DeskError {
    fn from(rejection: KeyRejection) -> Self {
        match rejection {
            KeyRejection::NotCreated => Self::NoSuchRecord { kind: "API key" },
            rejection => Self::RecordRejected { index: 0, rejection: rejection.into() },
        }
    }
}

impl From<AuthError> for DeskError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Store(error) => Self::Store(error),
            error => Self::Key(error),
        }
    }
}

impl From<ExecuteError> for DeskError {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::PreconditionFailed { current } => {
                Self::PreconditionFailed { current, between: Vec::new(), more: None }
            }
            ExecuteError::KeyReused => Self::KeyReused,
            ExecuteError::Contended => Self::Contended,
            ExecuteError::Append(error) => Self::Append(error),
            ExecuteError::Store(error) => Self::Store(error),
            ExecuteError::Encode(error) => Self::Encode(error),
            ExecuteError::Corrupt { stream, version, reason } => Self::Corrupt { stream, version, reason },
        }
    }
}
