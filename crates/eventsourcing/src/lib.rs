//! Aggregates on the event store.
//!
//! - [`Records`] loads the records of one aggregate: cache, snapshot, events.
//! - [`UnitOfWork`] collects decisions on several records; they are appended together, all or nothing.
//! - [`Executor`] runs a [`UseCase`]: load, fold, decide, append; it decides again on a conflict, and turns a repetition
//!   of an idempotency key into a replay. It is the only loop of its kind.
//! - [`codec`] is the one place where recorded events become events of an aggregate, and the reverse.
//! - [`subscription`] is the runtime of what follows the log: leadership, batches, checkpoints, parked streams.
//! - [`timers`] issues commands when they are due.
//! - [`audit`] folds whole streams and holds each step against the aggregate's rules.
//!
//! Nothing here knows a particular aggregate. The rules are in `shared_kernel::Aggregate`, the log is `eventstore`.
#![forbid(unsafe_code)]

pub mod audit;
pub mod codec;
pub mod subscription;
pub mod timers;

mod cache;
mod error;
mod executor;
mod failpoints;
mod precondition;
mod records;
mod turns;
mod unit_of_work;
mod versioned;

use std::sync::LazyLock;

use sqlx::migrate::Migrator;

pub use error::ExecuteError;
pub use executor::{Committed, Envelope, Executor, Idempotency, UseCase};
pub use precondition::Precondition;
pub use records::{AsOf, RECENT, Records};
pub use unit_of_work::{Handle, UnitOfWork};
pub use versioned::Versioned;

/// The schema of the subscriptions; run it after the log's, and after whatever makes the program's role.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("../../migrations/eventsourcing");
    migrator.dangerous_set_table_name("eventsourcing_migrations");
    migrator.set_ignore_missing(true);
    migrator
});

/// A digest of that schema, to name databases after in tests.
pub fn schema_digest() -> String {
    let bytes = MIGRATOR.iter().flat_map(|migration| migration.checksum.iter().copied());
    // FNV-1a
    let digest =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{digest:016x}")
}
