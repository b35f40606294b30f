use eventstore::Version;

use crate::ExecuteError;

/// The versions from which a command may proceed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Whatever the version is; a conflict is decided again on the new state.
    Any,
    /// One of these.
    OneOf(Vec<Version>),
}

impl Precondition {
    /// Holds a record's version against it.
    ///
    /// # Errors
    /// [`ExecuteError::PreconditionFailed`] if the version is not one of those named.
    pub fn check(&self, current: Version) -> Result<(), ExecuteError> {
        match self {
            Self::OneOf(versions) if !versions.contains(&current) => Err(ExecuteError::PreconditionFailed { current }),
            Self::Any | Self::OneOf(_) => Ok(()),
        }
    }
}
