//! Where the fault checker stops this process (docs/adr/0022). Without the feature `failpoints` nothing of it is compiled.

use eventstore::failpoint::Place;

/// A read model and its cursor are written, and not committed.
pub(crate) const BEFORE_COMMIT: Place = Place::named("projection.before_commit");
/// They are committed, and nobody has been told.
pub(crate) const COMMITTED: Place = Place::named("projection.committed");
/// A rebuilt generation is about to take its place.
pub(crate) const BEFORE_SWAP: Place = Place::named("rebuild.before_swap");
/// It has taken its place, and nobody has been told.
pub(crate) const SWAPPED: Place = Place::named("rebuild.swapped");
