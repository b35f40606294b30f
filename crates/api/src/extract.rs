//! What handlers take out of a request.

pub(crate) mod body;
pub(crate) mod caller;
pub(crate) mod command;
pub(crate) mod conditional;
pub(crate) mod idempotency;
pub(crate) mod json;
pub(crate) mod path;
pub(crate) mod query;
