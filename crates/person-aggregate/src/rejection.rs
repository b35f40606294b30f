//! Why a command was refused.

use shared_kernel::{IdentityId, PersonId, RejectionKind};

/// Why a command is refused: data to act on; `Display` is a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A text is blank that must say something.
    #[error("{field} is blank; write something")]
    Blank {
        /// Which member of the command.
        field: &'static str,
    },
    /// A text is too long.
    #[error("{field} is too long; use at most {limit} characters")]
    TooLong {
        /// Which member of the command.
        field: &'static str,
        /// In characters (Unicode scalar values).
        limit: usize,
    },
    /// A text holds a character that can't be stored.
    #[error("{field} contains a NUL character; remove it")]
    ControlCharacter {
        /// Which member of the command.
        field: &'static str,
    },
    /// The two are one person already.
    #[error("a person can't be merged with themselves; name another one")]
    MergeWithItself,

    /// There is no person yet.
    #[error("there is no such person yet; register them first")]
    NotRegistered,
    /// There is a person already.
    #[error("the person is registered already; use a new id")]
    AlreadyRegistered,
    /// The record is read-only: it goes on in another.
    #[error("the person was merged into {into}; act on that one")]
    MergedAway {
        /// The other person.
        into: PersonId,
    },
    /// The person never had an identity of that number.
    #[error("the person has no identity {identity}; choose one of theirs")]
    NoSuchIdentity {
        /// Its number.
        identity: IdentityId,
    },
    /// The person would have more identities than they may.
    #[error("a person has at most {limit} identities; remove some first")]
    TooManyIdentities {
        /// How many they may have.
        limit: usize,
    },
    /// More people would be merged into the person than may be.
    #[error("at most {limit} people can be merged into a person; merge into another one")]
    TooManyMerged {
        /// How many may be.
        limit: usize,
    },
}

impl Rejection {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Blank { .. } => "blank",
            Self::TooLong { .. } => "too_long",
            Self::ControlCharacter { .. } => "control_character",
            Self::MergeWithItself => "merge_with_itself",
            Self::NotRegistered => "not_registered",
            Self::AlreadyRegistered => "already_registered",
            Self::MergedAway { .. } => "merged_away",
            Self::NoSuchIdentity { .. } => "no_such_identity",
            Self::TooManyIdentities { .. } => "too_many_identities",
            Self::TooManyMerged { .. } => "too_many_merged",
        }
    }

    /// Invalid or conflict.
    pub const fn kind(&self) -> RejectionKind {
        match self {
            Self::Blank { .. } | Self::TooLong { .. } | Self::ControlCharacter { .. } | Self::MergeWithItself => {
                RejectionKind::Invalid
            }
            Self::NotRegistered
            | Self::AlreadyRegistered
            | Self::MergedAway { .. }
            | Self::NoSuchIdentity { .. }
            | Self::TooManyIdentities { .. }
            | Self::TooManyMerged { .. } => RejectionKind::Conflict,
        }
    }
}
