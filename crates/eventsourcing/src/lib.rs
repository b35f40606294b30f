//! Aggregates on the event store.
//!
//! - [`Records`] loads the records of one aggregate: cache, snapshot, events.
//! - [`UnitOfWork`] collects decisions on several records; they are appended together, all or nothing.
//! - [`Executor`] runs a [`UseCase`]: load, fold, decide, append; it decides again on a conflict, and turns a repetition
//!   of an idempotency key into a replay. It is the only loop of its kind.
//! - [`codec`] is the one place where recorded events become events of an aggregate, and the reverse.
//! - [`audit`] folds whole streams and holds each step against the aggregate's rules.
//!
//! Nothing here knows a particular aggregate. The rules are in `shared_kernel::Aggregate`, the log is `eventstore`.
#![forbid(unsafe_code)]

pub mod audit;
pub mod codec;

mod cache;
mod error;
mod executor;
mod precondition;
mod records;
mod turns;
mod unit_of_work;
mod versioned;

pub use error::ExecuteError;
pub use executor::{Committed, Envelope, Executor, Idempotency, OnAliasTaken, UseCase};
pub use precondition::Precondition;
pub use records::{AsOf, RECENT, Records};
pub use unit_of_work::{Handle, UnitOfWork};
pub use versioned::Versioned;
