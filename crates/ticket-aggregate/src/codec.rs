//! Events as they stand in the log.
//!
//! A type's name is frozen. Its JSON may change only with a new schema version: [`encode`] writes the newest,
//! [`decode`] reads all of them and lifts the old ones (`upcast.rs`); nothing stored is ever rewritten. Each version of each
//! type has a golden file in `tests/golden`.

mod upcast;

use std::borrow::Cow;

use crate::event::Event;

/// Every event type, in the order of [`Event`]'s declaration.
pub const EVENT_TYPES: &[&str] = &[
    "ticket.opened",
    "ticket.public_reply_added",
    "ticket.requester_replied",
    "ticket.internal_note_added",
    "ticket.agent_assigned",
    "ticket.agent_unassigned",
    "ticket.team_assigned",
    "ticket.priority_changed",
    "ticket.category_changed",
    "ticket.tags_added",
    "ticket.tags_removed",
    "ticket.subject_changed",
    "ticket.work_started",
    "ticket.pended",
    "ticket.put_on_hold",
    "ticket.resumed",
    "ticket.resolved",
    "ticket.reopened",
    "ticket.closed",
    "ticket.linked",
    "ticket.unlinked",
    "ticket.follower_added",
    "ticket.follower_removed",
];

/// An event ready for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The name on the wire.
    pub event_type: &'static str,
    /// The version of the payload's shape.
    pub schema_version: i16,
    /// The event's members: a JSON object.
    pub payload: String,
}

/// Why an event could not be written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The event has no JSON form.
    #[error("{event_type} has no JSON form")]
    Unserialisable {
        /// What it is.
        event_type: &'static str,
        /// What the serialiser says.
        source: Option<serde_json::Error>,
    },
}

/// Why a stored event could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not an event of a ticket, or one that this program is too old to know.
    #[error("unknown event type {event_type:?}")]
    UnknownType {
        /// What it is called.
        event_type: String,
    },
    /// The type is known, this version of its shape is not.
    #[error("{event_type} has the schema version {found}, this program knows 1 to {newest}")]
    UnknownVersion {
        /// What it is.
        event_type: &'static str,
        /// The version it has.
        found: i16,
        /// The newest version that can be read.
        newest: i16,
    },
    /// The payload has not the shape that type and version promise.
    #[error("malformed {event_type}, schema version {schema_version}")]
    Malformed {
        /// What it is.
        event_type: &'static str,
        /// The version it has.
        schema_version: i16,
        /// What the parser says.
        source: serde_json::Error,
    },
}

/// The newest schema version of a type, the one that [`encode`] writes. `None` for a type that is not a ticket's.
pub fn schema_version(event_type: &str) -> Option<i16> {
    let known = EVENT_TYPES.contains(&event_type);
    known.then_some(if event_type == "ticket.opened" { 2 } else { 1 })
}

/// Writes an event in its newest shape. The same event gives the same bytes.
pub fn encode(event: &Event) -> Result<Encoded, EncodeError> {
    let event_type = event.event_type();
    let unserialisable = |source| EncodeError::Unserialisable { event_type, source };
    let tagged = serde_json::to_string(event).map_err(|error| unserialisable(Some(error)))?;
    // {"ticket.closed":{…}}: the type has a column of its own, the payload is what is inside
    let payload = tagged
        .strip_prefix("{\"")
        .and_then(|rest| rest.strip_prefix(event_type))
        .and_then(|rest| rest.strip_prefix("\":"))
        .and_then(|rest| rest.strip_suffix('}'))
        .ok_or_else(|| unserialisable(None))?;
    Ok(Encoded { event_type, schema_version: schema_version(event_type).unwrap_or(1), payload: payload.to_owned() })
}

/// Reads an event of any version.
pub fn decode(event_type: &str, schema_version: i16, payload: &str) -> Result<Event, DecodeError> {
    let Some(event_type) = EVENT_TYPES.iter().copied().find(|known| *known == event_type) else {
        return Err(DecodeError::UnknownType { event_type: event_type.to_owned() });
    };
    let newest = self::schema_version(event_type).unwrap_or(1);
    if !(1..=newest).contains(&schema_version) {
        return Err(DecodeError::UnknownVersion { event_type, found: schema_version, newest });
    }
    let malformed = |source| DecodeError::Malformed { event_type, schema_version, source };
    // serde would take a list of the members' values as well
    if !payload.trim_start().starts_with('{') {
        return Err(malformed(serde::de::Error::custom("a payload is a JSON object")));
    }
    let payload = if schema_version == newest {
        Cow::Borrowed(payload)
    } else {
        Cow::Owned(upcast::lift(event_type, schema_version, payload).map_err(malformed)?)
    };
    serde_json::from_str(&format!("{{\"{event_type}\":{payload}}}")).map_err(malformed)
}
