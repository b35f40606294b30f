use std::time::Duration;

use chrono::{DateTime, Utc};
use eventstore::MAX_EVENT_BYTES;

/// The size limit of a message in bytes, headers included. The broker must accept it (`max_payload`, 1 MiB by default).
pub const MAX_MESSAGE_BYTES: usize = MAX_EVENT_BYTES + 64 * 1024;

/// The configuration of a relay.
#[derive(Clone, Debug)]
pub struct Config {
    /// `nats://HOST:PORT`, or several, separated by commas; may contain a user and a password, or a token,
    /// the same for all.
    pub url: String,
    /// The name of the stream; it is created if it is missing.
    pub stream: String,
    /// The first token of the subjects; the stream takes `PREFIX.>` and nothing else.
    pub subject_prefix: String,
    /// The number of replicas of the stream; 3 in production.
    pub replicas: usize,
    /// The `source` of the `CloudEvents`: a URI that names the installation.
    pub source: String,
    /// The interval at which a relay that is idle or stands by checks the stream; up to half is added at random.
    pub poll: Duration,
    /// The pause before a halted relay checks again.
    pub recheck: Duration,
    /// The clock, to measure the age of unpublished events.
    pub now: fn() -> DateTime<Utc>,
}

impl Config {
    /// The defaults: stream `DOCKET`, subjects `docket.>`, one replica.
    pub fn new(url: impl Into<String>, source: impl Into<String>, now: fn() -> DateTime<Utc>) -> Self {
        Self {
            url: url.into(),
            stream: "DOCKET".into(),
            subject_prefix: "docket".into(),
            replicas: 1,
            source: source.into(),
            poll: Duration::from_millis(400),
            recheck: Duration::from_secs(3),
            now,
        }
    }
}
