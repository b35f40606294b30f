use std::fmt;

use eventstore::Position;

/// The status of a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The state of the relay.
    pub state: State,
    /// The last position that the broker is known to hold; `None` before the first check.
    pub position: Option<Position>,
    /// Why the broker or the database can't be reached, while [`State::Connecting`].
    pub reason: Option<String>,
}

/// The state of a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The broker or the database can't be reached.
    Connecting,
    /// Publishes events that the broker lacks.
    Filling,
    /// The broker has the whole log; new events are published at once.
    Live,
    /// Another relay publishes; this one stands by.
    Standby,
    /// Publishes nothing until an operator intervenes.
    Halted(Halt),
}

impl State {
    /// The names of all states.
    pub(crate) const WORDS: [&str; 5] = ["connecting", "filling", "live", "standby", "halted"];

    /// The name, for logs and readiness.
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
    /// The broken rule.
    pub fault: HaltReason,
    /// What was found, and what to do about it.
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
    /// The URL is not valid.
    Url,
    /// The server has no JetStream, or its message size limit is too small.
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
    /// All reasons.
    pub const ALL: [Self; 6] = [Self::Url, Self::Server, Self::StreamConfig, Self::Foreign, Self::Ahead, Self::Hole];

    /// The name in logs and metrics.
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
