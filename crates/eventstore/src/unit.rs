use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::{AppendError, Metadata, NewEvent, Position, StreamId, StreamType, Version};

/// The largest payload and metadata that one event may have together, in bytes. Consumers of the log (a broker's message, a
/// page of HTTP) can rely on it.
pub const MAX_EVENT_BYTES: usize = 512 * 1024;

/// The most events that a unit may hold.
pub const MAX_UNIT_EVENTS: usize = 1_000;

/// The version that a stream must be at for an append to be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// Any version.
    Any,
    /// Exactly this one; [`Version`] zero: the stream must not exist.
    Exact(Version),
}

/// The events that a unit appends to one stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Append {
    /// The type of the stream. An existing stream of another type refuses the unit.
    pub stream_type: StreamType,
    /// The stream.
    pub stream_id: StreamId,
    /// The version that the stream must be at.
    pub expected: Expected,
    /// In order. Only the first append of a unit may have none: it still names the stream that the receipt points at.
    pub events: Vec<NewEvent>,
}

impl Append {
    /// Events for one stream.
    pub fn new(stream_type: StreamType, stream_id: StreamId, expected: Expected, events: Vec<NewEvent>) -> Self {
        Self { stream_type, stream_id, expected, events }
    }
}

/// A stream that must still be at a version that was read, although the unit appends nothing to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Demand {
    /// The stream.
    pub stream_id: StreamId,
    /// The version that it must be at; zero: it must not exist.
    pub version: Version,
}

/// What one command records: accepted or refused as a whole.
///
/// ```
/// # use eventstore::*;
/// # use uuid::Uuid;
/// # let (ticket, agent) = (StreamId(Uuid::from_u128(1)), StreamId(Uuid::from_u128(2)));
/// # let events = vec![NewEvent::new("ticket.assigned", 1, "{}", chrono::DateTime::UNIX_EPOCH)];
/// let unit = Unit::new(Metadata::new(CommandId(Uuid::from_u128(3))))
///     .append(Append::new(StreamType::from_static("ticket"), ticket, Expected::Exact(Version(4)), events))
///     .demand(agent, Version(7))
///     .receipt(ReceiptKey::new("api-key-1", "retry-1", vec![1, 2, 3], 200));
/// assert_eq!(unit.demands.len(), 1);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Unit {
    /// Shared by all its events.
    pub metadata: Metadata,
    /// One entry for each stream. A receipt points at the last event of the first one.
    pub appends: Vec<Append>,
    /// Versions that were read and must still hold.
    pub demands: Vec<Demand>,
    /// Makes a repetition of the command a replay.
    pub receipt: Option<ReceiptKey>,
    /// Aliases that streams which the unit appends events to take.
    pub takes: Vec<Alias>,
    /// Aliases that streams give up, and the streams that must hold them.
    pub releases: Vec<Alias>,
}

impl Unit {
    /// A unit that records nothing yet.
    pub fn new(metadata: Metadata) -> Self {
        Self {
            metadata,
            appends: Vec::new(),
            demands: Vec::new(),
            receipt: None,
            takes: Vec::new(),
            releases: Vec::new(),
        }
    }

    /// Appends events to a stream. Each stream may be named once.
    #[must_use]
    pub fn append(mut self, append: Append) -> Self {
        self.appends.push(append);
        self
    }

    /// Demands that a stream is still at a version. It is judged at the unit's own place in the log: what was recorded at lower
    /// positions counts, what follows does not. Any number of units may demand a stream in one batch, also beside one that
    /// appends to it. The same demand twice is one demand.
    #[must_use]
    pub fn demand(mut self, stream_id: StreamId, version: Version) -> Self {
        let demand = Demand { stream_id, version };
        if !self.demands.contains(&demand) {
            self.demands.push(demand);
        }
        self
    }

    /// Records an idempotency key with the unit.
    #[must_use]
    pub fn receipt(mut self, key: ReceiptKey) -> Self {
        self.receipt = Some(key);
        self
    }

    /// Gives a stream that the unit appends events to an alias. Another stream that holds it refuses the unit, unless the unit
    /// releases it as well.
    #[must_use]
    pub fn take_alias(mut self, scope: impl Into<String>, name: impl Into<String>, stream_id: StreamId) -> Self {
        self.takes.push(Alias { scope: scope.into(), name: name.into(), stream_id });
        self
    }

    /// Releases an alias. If `holder` does not hold it, the unit is refused. With [`Self::take_alias`] of the same name in one
    /// unit, the alias moves. An alias changes only with an event: a unit without any is refused.
    #[must_use]
    pub fn release_alias(mut self, scope: impl Into<String>, name: impl Into<String>, holder: StreamId) -> Self {
        self.releases.push(Alias { scope: scope.into(), name: name.into(), stream_id: holder });
        self
    }
}

/// An idempotency key and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiptKey {
    /// The scope of the key: who uses it.
    pub caller: String,
    /// The key.
    pub key: String,
    /// A digest of the request, to tell a retry from another request under the same key.
    pub fingerprint: Vec<u8>,
    /// What was answered, in the caller's terms (an HTTP status).
    pub status: i16,
    /// Whether [`crate::EventStore::expire_receipts`] removes it.
    pub retention: Retention,
}

impl ReceiptKey {
    /// A key whose receipt expires ([`Retention::Standard`]).
    pub fn new(caller: impl Into<String>, key: impl Into<String>, fingerprint: Vec<u8>, status: i16) -> Self {
        Self { caller: caller.into(), key: key.into(), fingerprint, status, retention: Retention::Standard }
    }

    /// The same key, whose receipt is kept for ever.
    #[must_use]
    pub fn permanent(self) -> Self {
        Self { retention: Retention::Permanent, ..self }
    }
}

/// How long a receipt is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retention {
    /// Until [`crate::EventStore::expire_receipts`] finds it old enough: for callers who retry within hours.
    #[default]
    Standard,
    /// For ever: for a process manager, which may handle an event again after days.
    Permanent,
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
    /// The stream that takes, holds or releases it.
    pub stream_id: StreamId,
}

impl Unit {
    /// Checks what the database can't: sizes, times, event types, that nothing is named twice. Gives the JSON text of its metadata.
    pub(crate) fn check(&self) -> Result<String, AppendError> {
        if let Some(reason) = self.mistake() {
            return Err(AppendError::Malformed(reason));
        }
        let events = self.appends.iter().map(|a| a.events.len()).sum::<usize>();
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

    fn mistake(&self) -> Option<&'static str> {
        let streams: HashSet<StreamId> = self.appends.iter().map(|a| a.stream_id).collect();
        let demanded: HashSet<StreamId> = self.demands.iter().map(|d| d.stream_id).collect();
        let silent = self.appends.first().filter(|a| a.events.is_empty()).map(|a| a.stream_id);
        if self.appends.is_empty() {
            Some("it names no stream")
        } else if streams.len() < self.appends.len() {
            Some("it appends to a stream twice; one append holds all events of a stream")
        } else if demanded.len() < self.demands.len() {
            Some("it demands two versions of one stream")
        } else if !streams.is_disjoint(&demanded) {
            Some("it demands a version of a stream that it appends to; the append's expected version says that")
        } else if self.appends.iter().skip(1).any(|a| a.events.is_empty()) {
            Some("an append other than the first has no events; a demand checks a version alone")
        } else if self.receipt.is_none() && self.appends.iter().all(|a| a.events.is_empty()) {
            Some("it has neither events nor a receipt")
        } else if self.appends.iter().any(|a| a.events.iter().any(|e| !a.stream_type.owns(&e.event_type))) {
            Some("an event type does not begin with its stream's type and a dot")
        } else if self.appends.iter().any(|a| !in_order(a.events.iter().map(|e| e.occurred_at))) {
            Some("the times of a stream's events run backwards")
        } else if self.takes.iter().any(|a| !streams.contains(&a.stream_id)) {
            Some("an alias names a stream that is not among its appends")
        } else if self.takes.iter().any(|a| Some(a.stream_id) == silent) {
            Some("a stream takes an alias without an event that says so")
        } else if silent.is_some() && self.appends.len() == 1 && !self.releases.is_empty() {
            Some("it releases an alias without an event that says so")
        } else if named_twice(&self.takes) {
            Some("it takes an alias twice")
        } else if named_twice(&self.releases) {
            Some("it releases an alias twice")
        } else {
            None
        }
    }
}

fn named_twice(aliases: &[Alias]) -> bool {
    // almost no unit has any
    aliases.len() > 1 && aliases.iter().map(|a| (&a.scope, &a.name)).collect::<HashSet<_>>().len() < aliases.len()
}

fn in_order(times: impl Iterator<Item = DateTime<Utc>>) -> bool {
    times.is_sorted()
}
