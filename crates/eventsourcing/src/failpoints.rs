//! Failpoints for the fault checker (docs/adr/0022). They compile to nothing without the feature `failpoints`.

use eventstore::failpoint::Failpoint;

/// A batch and its checkpoint are written, but not committed.
pub(crate) const BEFORE_COMMIT: Failpoint = Failpoint::named("subscription.before_commit");
/// They are committed, but nobody has been told.
pub(crate) const COMMITTED: Failpoint = Failpoint::named("subscription.committed");
