//! How much the server takes on before it says no (docs/adr/0023).

use std::num::NonZeroU32;
use std::time::Duration;

use http_server::ConnectionLimits;

/// The bounds of a server. Whatever is beyond them is refused at once and cheaply.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How many requests a key may send; none: as many as it likes.
    pub rate: Option<Rate>,
    /// How many requests of a kind may be under way: commands, reads of the log, queries of read models, and what is
    /// public. One kind that hangs takes nothing from the others.
    pub requests: usize,
    /// How many live streams there may be.
    pub streams: usize,
    /// The bounds of connections.
    pub connections: ConnectionLimits,
    /// How much memory the bodies of requests may take together, in bytes.
    pub body_bytes: usize,
}

/// So many requests in so many seconds, in a burst or evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many at once, and in each window.
    pub requests: NonZeroU32,
    /// In how many seconds all of them may be sent again.
    pub seconds: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rate: Some(Rate::DEFAULT),
            requests: 512,
            streams: 1_024,
            connections: ConnectionLimits::default(),
            body_bytes: 64 * 1024 * 1024,
        }
    }
}

impl Rate {
    /// A thousand a second, for a product behind whose one key all of its users stand.
    pub const DEFAULT: Self = match (NonZeroU32::new(10_000), NonZeroU32::new(10)) {
        (Some(requests), Some(seconds)) => Self { requests, seconds },
        _ => unreachable!(),
    };

    pub(crate) fn window(self) -> Duration {
        Duration::from_secs(self.seconds.get().into())
    }
}
