//! Errors that say what to do.

use std::fmt::{self, Display};

/// An error of the command line with a hint, which `main` prints below the causes.
#[derive(Debug)]
pub(crate) struct Hinted {
    message: String,
    pub(crate) hint: String,
}

impl Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Hinted {}

pub(crate) fn hinted(message: impl Into<String>, hint: impl Into<String>) -> Hinted {
    Hinted { message: message.into(), hint: hint.into() }
}

/// An error with a hint and no cause.
pub(crate) fn hint(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    hinted(message, hint).into()
}
