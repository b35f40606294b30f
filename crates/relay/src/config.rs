use std::time::Duration;

use chrono::{DateTime, Utc};
use eventstore::MAX_EVENT_BYTES;

/// The most bytes that a message has, its headers included: an event and what is said about it. The broker must take
/// them (`max_payload`, 1 MiB by default).
pub const MAX_MESSAGE_BYTES: usize = MAX_EVENT_BYTES + 64 * 1024;

/// Where to and how.
#[derive(Clone, Debug)]
pub struct Config {
    /// `nats://HOST:PORT`, or several, separated by commas; may hold a user and a password, or a token, the same for all.
    pub url: String,
    /// The stream's name. It is made where there is none.
    pub stream: String,
    /// What the subjects begin with; the stream takes `PREFIX.>` and nothing else.
    pub subject_prefix: String,
    /// How many servers of a cluster hold the stream; 3 in production.
    pub replicas: usize,
    /// The `source` of the `CloudEvents`, a URI reference.
    pub source: String,
    /// How long to wait between two looks at the stream, standing by or idle; stretched at random by up to half.
    pub poll: Duration,
    /// How long to wait, halted, before looking again.
    pub recheck: Duration,
    /// The clock, to tell how old what is not yet published is.
    pub now: fn() -> DateTime<Utc>,
}

impl Config {
    /// The usual for a broker's URL: stream `DOCKET`, subjects `docket.>`, one replica.
    pub fn new(url: impl Into<String>, now: fn() -> DateTime<Utc>) -> Self {
        Self {
            url: url.into(),
            stream: "DOCKET".into(),
            subject_prefix: "docket".into(),
            replicas: 1,
            source: "/v1/tickets".into(),
            poll: Duration::from_millis(400),
            recheck: Duration::from_secs(3),
            now,
        }
    }
}
