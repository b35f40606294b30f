//! A place where the fault checker can end a process that follows or writes the log (docs/adr/0022).

/// A failpoint. Without the feature `failpoints` there is nothing in it, not even its name.
#[derive(Clone, Copy, Debug)]
pub struct Place(#[cfg(feature = "failpoints")] &'static str);

impl Place {
    /// The place that is armed by this name (`FAILPOINTS`).
    pub const fn named(#[cfg_attr(not(feature = "failpoints"), expect(unused_variables))] name: &'static str) -> Self {
        Self(
            #[cfg(feature = "failpoints")]
            name,
        )
    }

    /// Ends the process on the spot where the place is armed.
    #[inline]
    pub fn reached(self) {
        #[cfg(feature = "failpoints")]
        fail::fail_point!(self.0, |_| std::process::abort());
    }
}
