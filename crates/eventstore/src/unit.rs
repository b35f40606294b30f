use chrono::{DateTime, Utc};

use crate::{AppendError, Metadata, NewEvent, Position, StreamId, Version};

/// The most bytes that an event's payload and metadata may have together: what follows the log
/// (a broker's message, a page of HTTP) can count on it.
pub const MAX_EVENT_BYTES: usize = 512 * 1024;

/// The most events a unit may hold.
pub const MAX_UNIT_EVENTS: usize = 1_000;

/// The version that a stream must be at for an append to be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is.
    Any,
    /// Exactly this one; [`Version`] zero: the stream must not exist.
    Exact(Version),
}

/// The events that a unit appends to one stream.
#[derive(Clone, Debug)]
pub struct Append {
    /// The stream.
    pub stream_id: StreamId,
    /// The version that it must be at.
    pub expected: Expected,
    /// In order; may be empty, to demand the version only.
    pub events: Vec<NewEvent>,
}

/// What one command records: accepted or refused whole.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Shared by all its events.
    pub metadata: Metadata,
    /// One entry a stream. The first is the unit's own: a receipt points at its last event.
    pub appends: Vec<Append>,
    /// Makes a repetition a replay.
    pub receipt: Option<ReceiptKey>,
    /// Names that the streams take with it.
    pub aliases: Vec<Alias>,
}

/// An idempotency key and what it is used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptKey {
    /// The scope of the key: who uses it.
    pub caller: String,
    /// The key.
    pub key: String,
    /// A digest of the request, to tell a retry from another request under the same key.
    pub fingerprint: Vec<u8>,
    /// What was answered, in the caller's terms (an HTTP status).
    pub status: i16,
}

/// What a key did when it was first used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The digest of the request.
    pub fingerprint: Vec<u8>,
    /// The stream that it changed.
    pub stream_id: StreamId,
    /// That stream's version after it.
    pub version: Version,
    /// The position of that version's event.
    pub position: Position,
    /// What was answered.
    pub status: i16,
}

/// A second, unique name of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Alias {
    /// The kind of name.
    pub scope: String,
    /// The name.
    pub name: String,
    /// Which stream of the unit takes it.
    pub stream_id: StreamId,
}

impl Unit {
    /// Checks what the database can't: sizes, times, that nothing is named twice. Gives the JSON text of its metadata.
    pub(crate) fn check(&self) -> Result<String, AppendError> {
        let events = self.appends.iter().map(|a| a.events.len()).sum::<usize>();
        let streams = self.appends.iter().map(|a| a.stream_id).collect::<std::collections::HashSet<_>>();
        let names = self.aliases.iter().map(|a| (&a.scope, &a.name)).collect::<std::collections::HashSet<_>>();
        let malformed = if self.appends.is_empty() {
            Some("it names no stream")
        } else if streams.len() < self.appends.len() {
            Some("it names a stream twice")
        } else if self.aliases.iter().any(|a| !streams.contains(&a.stream_id)) {
            Some("an alias names a stream that is not among its appends")
        } else if names.len() < self.aliases.len() {
            Some("it names an alias twice")
        } else if events == 0 && self.receipt.is_none() {
            Some("it has neither events nor a receipt")
        } else if self.appends.iter().any(|a| !in_order(a.events.iter().map(|e| e.occurred_at))) {
            Some("the times of a stream's events run backwards")
        } else {
            None
        };
        if let Some(reason) = malformed {
            return Err(AppendError::Malformed(reason));
        }
        if events > MAX_UNIT_EVENTS {
            return Err(AppendError::TooLarge { what: "events in a unit", size: events, limit: MAX_UNIT_EVENTS });
        }
        let metadata =
            serde_json::to_string(&self.metadata).map_err(|_| AppendError::Malformed("its metadata is not JSON"))?;
        for event in self.appends.iter().flat_map(|a| &a.events) {
            let size = event.payload.len() + metadata.len();
            if size > MAX_EVENT_BYTES {
                return Err(AppendError::TooLarge { what: "bytes in an event", size, limit: MAX_EVENT_BYTES });
            }
        }
        Ok(metadata)
    }
}

fn in_order(mut times: impl Iterator<Item = DateTime<Utc>>) -> bool {
    let Some(mut last) = times.next() else { return true };
    times.all(|time| {
        let ordered = time >= last;
        last = time;
        ordered
    })
}
