//! `docket audit`: what the log says, read by people.

mod diff;
pub(crate) mod relay;
pub(crate) mod replay;
mod timeline;
pub(crate) mod verify;
mod words;
