//! Where the fault checker stops this process (docs/adr/0022). Without the feature `failpoints` nothing of it is compiled.

/// A read model and its cursor are written, and not committed.
pub(crate) const BEFORE_COMMIT: &str = "projection.before_commit";
/// They are committed, and nobody has been told.
pub(crate) const COMMITTED: &str = "projection.committed";
/// A rebuilt generation is about to take its place.
pub(crate) const BEFORE_SWAP: &str = "rebuild.before_swap";
/// It has taken its place, and nobody has been told.
pub(crate) const SWAPPED: &str = "rebuild.swapped";

/// Ends the process on the spot where the checker has armed the place (`FAILPOINTS`).
#[cfg(feature = "failpoints")]
pub(crate) fn reached(place: &str) {
    fail::fail_point!(place, |_| std::process::abort());
}

#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn reached(_place: &str) {}
