//! `docket audit`: replay a ticket, verify the log, compare the broker with it.

mod description;
mod diff;
mod names;
mod record;
pub(crate) mod relay;
pub(crate) mod replay;
mod timeline;
pub(crate) mod verify;
