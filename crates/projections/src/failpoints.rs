//! Failpoints for the fault checker (docs/adr/0022). They compile to nothing without the feature `failpoints`.

use eventstore::failpoint::Place;

/// A batch and its checkpoint are written, but not committed.
pub(crate) const BEFORE_COMMIT: Place = Place::named("projection.before_commit");
/// They are committed, but nobody has been told.
pub(crate) const COMMITTED: Place = Place::named("projection.committed");
/// A rebuilt generation is about to be swapped in.
pub(crate) const BEFORE_SWAP: Place = Place::named("rebuild.before_swap");
/// It is swapped in, but nobody has been told.
pub(crate) const SWAPPED: Place = Place::named("rebuild.swapped");
