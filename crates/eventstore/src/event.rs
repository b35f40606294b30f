use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{CommandId, Position, StreamId, StreamType, Version};

/// An event to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// The name of its type, `ticket.resolved`: the stream type, a dot and a name that never changes.
    pub event_type: String,
    /// The version of the payload's schema.
    pub schema_version: i16,
    /// A JSON text, kept byte for byte.
    pub payload: String,
    /// When it happened, never before the stream's last event.
    pub occurred_at: DateTime<Utc>,
}

impl NewEvent {
    /// An event of a type, whose payload is a JSON text.
    pub fn new(
        event_type: impl Into<String>,
        schema_version: i16,
        payload: impl Into<String>,
        occurred_at: DateTime<Utc>,
    ) -> Self {
        Self { event_type: event_type.into(), schema_version, payload: payload.into(), occurred_at }
    }
}

/// What all events of one command have in common. Unknown members are kept in `extra`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// The command that recorded it. After a lost connection it tells whether the append was committed.
    pub command_id: CommandId,
    /// W3C Trace Context of the request, to join what follows to its trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The application's own members: who, why, on whose behalf.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Metadata {
    /// Metadata that names the command alone.
    pub fn new(command_id: CommandId) -> Self {
        Self { command_id, traceparent: None, extra: Map::new() }
    }
}

/// An event of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedEvent {
    /// The position in the log.
    pub position: Position,
    /// Its stream.
    pub stream_id: StreamId,
    /// The type of its stream.
    pub stream_type: StreamType,
    /// The version in the stream.
    pub version: Version,
    /// The name of its type.
    pub event_type: String,
    /// The version of the payload's schema.
    pub schema_version: i16,
    /// The JSON text that was appended.
    pub payload: String,
    /// The JSON text of its [`Metadata`].
    pub metadata: String,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// When the log recorded it.
    pub recorded_at: DateTime<Utc>,
}

impl RecordedEvent {
    /// The size of payload and metadata in bytes.
    pub fn bytes(&self) -> usize {
        self.payload.len() + self.metadata.len()
    }

    /// The metadata, parsed.
    ///
    /// # Errors
    /// If it does not have the form that this library writes.
    pub fn metadata(&self) -> Result<Metadata, serde_json::Error> {
        serde_json::from_str(&self.metadata)
    }
}
