//! Why a command was refused.

use shared_kernel::RejectionKind;

use crate::kind::Fault;

/// Why a command is refused: data to act on; `Display` is a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The document breaks a rule of its kind.
    #[error("{}", list(faults))]
    InvalidDocument {
        /// Every rule that it breaks, at least one.
        faults: Vec<Fault>,
    },

    /// There is no setting yet.
    #[error("there is no such setting yet; create it first")]
    NotCreated,
    /// There is a setting already.
    #[error("the setting exists already; use a new id")]
    AlreadyCreated,
    /// The setting is out of use for good.
    #[error("the setting is retired for good; create another one")]
    Retired,
}

impl Rejection {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidDocument { .. } => "invalid_document",
            Self::NotCreated => "not_created",
            Self::AlreadyCreated => "already_created",
            Self::Retired => "retired",
        }
    }

    /// Invalid or conflict.
    pub const fn kind(&self) -> RejectionKind {
        match self {
            Self::InvalidDocument { .. } => RejectionKind::Invalid,
            Self::NotCreated | Self::AlreadyCreated | Self::Retired => RejectionKind::Conflict,
        }
    }
}

fn list(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ")
}
