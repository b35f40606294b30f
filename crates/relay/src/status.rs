use std::fmt;

use eventstore::Position;

/// What a relay is doing, and how far the broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// What it is doing.
    pub state: State,
    /// The last position that the broker is known to hold; `None` before the first look.
    pub position: Option<Position>,
    /// Why the broker or the database can't be reached, while [`State::Connecting`].
    pub reason: Option<String>,
}

/// What a relay is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The broker or the database can't be reached.
    Connecting,
    /// It publishes what the broker lacks.
    Filling,
    /// The broker has all of the log; what comes is published at once.
    Live,
    /// Another relay publishes.
    Standby,
    /// It publishes nothing until somebody has mended something.
    Halted(Halt),
}

impl State {
    /// Every state's word.
    pub(crate) const WORDS: [&str; 5] = ["connecting", "filling", "live", "standby", "halted"];

    /// One word, for logs and readiness.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Filling => "filling",
            Self::Live => "live",
            Self::Standby => "standby",
            Self::Halted(_) => "halted",
        }
    }
}

/// Why a relay has halted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halt {
    /// Which rule does not hold.
    pub fault: HaltReason,
    /// What was found, and what to do.
    pub detail: String,
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.fault.as_str(), self.detail)
    }
}

/// The rules that must hold before anything is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HaltReason {
    /// The URL can't be read.
    Url,
    /// The server has no JetStream, or takes too small messages.
    Server,
    /// The stream's configuration would lose or refuse events.
    StreamConfig,
    /// The stream holds another log's events, or those of this one before it was restored.
    Foreign,
    /// The stream holds more than the log: the database was restored from a backup.
    Ahead,
    /// Messages are missing within the stream.
    Hole,
}

impl HaltReason {
    /// Every one.
    pub const ALL: [Self; 6] = [Self::Url, Self::Server, Self::StreamConfig, Self::Foreign, Self::Ahead, Self::Hole];

    /// The word in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Server => "server",
            Self::StreamConfig => "stream_config",
            Self::Foreign => "foreign",
            Self::Ahead => "ahead",
            Self::Hole => "hole",
        }
    }
}
