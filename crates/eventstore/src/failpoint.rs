//! Points at which a fault test can end a process that writes or follows the log. Not part of the public API.

/// A named failpoint. Without the feature `failpoints` it is empty and does nothing.
#[derive(Clone, Copy, Debug)]
pub struct Failpoint(#[cfg(feature = "failpoints")] &'static str);

impl Failpoint {
    /// The failpoint that `FAILPOINTS` arms by this name.
    pub const fn named(#[cfg_attr(not(feature = "failpoints"), expect(unused_variables))] name: &'static str) -> Self {
        Self(
            #[cfg(feature = "failpoints")]
            name,
        )
    }

    /// Ends the process at once if the failpoint is armed.
    #[inline]
    pub fn reached(self) {
        #[cfg(feature = "failpoints")]
        fail::fail_point!(self.0, |_| std::process::abort());
    }
}
