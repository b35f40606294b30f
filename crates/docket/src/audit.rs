//! `docket audit`: replay a record, verify the log, compare the broker with it.

mod description;
mod diff;
mod record;
pub(crate) mod relay;
pub(crate) mod replay;
mod timeline;
pub(crate) mod verify;
