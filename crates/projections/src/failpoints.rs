//! Failpoints for the fault checker (docs/adr/0022). They compile to nothing without the feature `failpoints`.

use eventstore::failpoint::Failpoint;

/// A rebuilt generation is about to be swapped in.
pub(crate) const BEFORE_SWAP: Failpoint = Failpoint::named("rebuild.before_swap");
/// It is swapped in, but nobody has been told.
pub(crate) const SWAPPED: Failpoint = Failpoint::named("rebuild.swapped");
