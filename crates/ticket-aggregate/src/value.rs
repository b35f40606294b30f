//! The values that commands and events are made of.
//!
//! A stored event is read through the same constructors, so their limits may be loosened later, never tightened:
//! what was once recorded must stay readable.

mod id;
mod string_enum;
mod text;

pub use id::{MessageId, StreamVersion, TicketId, TicketNumber};
pub(crate) use string_enum::string_enum;
pub use string_enum::{AssignmentMethod, ClosedReason, LinkKind, Priority, Status, Trigger};
pub(crate) use text::email;
pub use text::{AgentId, Channel, ResolutionCode, Tag, TeamId};

/// Why a text is not a valid value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Nothing but white space.
    #[error("{what} must not be blank")]
    Blank {
        /// Which value.
        what: &'static str,
    },
    /// Longer than the limit.
    #[error("{what} must not be longer than {limit} characters")]
    TooLong {
        /// Which value.
        what: &'static str,
        /// The limit in characters (Unicode scalar values).
        limit: usize,
    },
    /// A control character, such as a line break, that could smuggle a header into a mail.
    #[error("{what} must not contain control characters")]
    ControlCharacter {
        /// Which value.
        what: &'static str,
    },
    /// Not of the form `local@domain`.
    #[error("an e-mail address has the form name@example.com")]
    NotAnAddress,
    /// Not a whole number above zero.
    #[error("a ticket number is a whole number above zero, such as 1042 or #1042")]
    NotANumber,
    /// A word outside of a closed vocabulary.
    #[error("{word:?} is not a {what}")]
    UnknownWord {
        /// Which vocabulary.
        what: &'static str,
        /// The word that was given.
        word: String,
    },
}
