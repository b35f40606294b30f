//! Where the fault checker stops this process (docs/adr/0022). Without the feature `failpoints` nothing of it is compiled.

/// A read model and its cursor are written, and not committed.
pub(crate) const BEFORE_COMMIT: Place = place("projection.before_commit");
/// They are committed, and nobody has been told.
pub(crate) const COMMITTED: Place = place("projection.committed");
/// A rebuilt generation is about to take its place.
pub(crate) const BEFORE_SWAP: Place = place("rebuild.before_swap");
/// It has taken its place, and nobody has been told.
pub(crate) const SWAPPED: Place = place("rebuild.swapped");

#[cfg(feature = "failpoints")]
type Place = &'static str;
#[cfg(feature = "failpoints")]
const fn place(name: &'static str) -> Place {
    name
}

/// Its name goes nowhere.
#[cfg(not(feature = "failpoints"))]
pub(crate) struct Place;
#[cfg(not(feature = "failpoints"))]
const fn place(_name: &'static str) -> Place {
    Place
}

/// Ends the process on the spot where the checker has armed the place (`FAILPOINTS`).
#[cfg(feature = "failpoints")]
pub(crate) fn reached(place: Place) {
    fail::fail_point!(place, |_| std::process::abort());
}

#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn reached(_place: Place) {}
