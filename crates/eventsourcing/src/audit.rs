//! Reads the whole log and what stands beside it, and holds all of it to the invariants: positions and versions without a
//! gap, times that don't run backwards, events that can be read, steps that the aggregates' rules allow, snapshots that are
//! the fold of their streams, aliases and receipts that follow from events.
//!
//! [`check_log_order`] goes along the log and keeps no more than a version for each stream; [`check_streams`] goes along each
//! stream and keeps no more than that stream's state and the aliases of some hundred streams; [`check_receipts`] goes along the
//! receipts. The program may go on appending meanwhile.

mod aliases;
mod fold;
mod order;
mod receipts;
mod report;
mod snapshots;
mod streams;

use eventstore::{RecordedEvent, StreamType};

pub use fold::FoldAudit;
pub use order::check_log_order;
pub use receipts::check_receipts;
pub use report::{AuditReport, Breach, Finding};
pub use streams::check_streams;

/// Checks the streams of one aggregate, one after the other, event by event.
pub trait StreamAudit: Send {
    /// The type of the streams that it checks.
    fn stream_type(&self) -> StreamType;

    /// The events of another stream follow.
    fn next_stream(&mut self);

    /// Checks an event against the fold of those before it, and folds it.
    ///
    /// # Errors
    /// What is wrong with it.
    fn step(&mut self, event: &RecordedEvent) -> Result<(), Breach>;

    /// The form in which snapshots are read; those of other forms are never used.
    fn snapshot_schema(&self) -> i16;

    /// Compares a snapshot of that form (a JSON text) with the fold of the events up to this one.
    ///
    /// # Errors
    /// How it differs.
    fn check_snapshot(&self, last: &RecordedEvent, snapshot: &str) -> Result<(), Breach>;

    /// The aliases (scope, name) that follow from the events so far; none if that can't be said.
    fn aliases(&self) -> Option<Vec<(String, String)>>;
}

#[cfg(test)]
pub(crate) mod tests;
