//! The stored form of events: JSON with a type name and a schema version.
//!
//! A type's name is frozen. Its JSON may change only with a new schema version: [`encode`] writes the newest, [`decode`]
//! reads all of them and upcasts the old ones; nothing stored is ever rewritten. An upcast works on JSON and not on old
//! Rust types, so that the history of shapes is a list of small functions and golden files.

use std::borrow::Cow;
use std::fmt::Debug;

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Map, Value};

/// One step of an upcast: changes the members of a payload from one schema version to the next.
pub type Upcast = fn(&mut Map<String, Value>);

/// A type of event.
#[derive(Clone, Copy, Debug)]
pub struct EventType {
    /// The wire name, `ticket.resolved`: the aggregate's type, a dot, a past tense.
    pub name: &'static str,
    /// What leads from schema version 1 to 2, from 2 to 3, and so on.
    pub upcasts: &'static [Upcast],
}

impl EventType {
    /// A type whose payload has had one shape so far.
    pub const fn new(name: &'static str) -> Self {
        Self { name, upcasts: &[] }
    }

    /// A type whose payload has changed shape.
    pub const fn upcast(name: &'static str, upcasts: &'static [Upcast]) -> Self {
        Self { name, upcasts }
    }

    /// The newest schema version, the one that [`encode`] writes.
    pub fn schema_version(&self) -> i16 {
        i16::try_from(self.upcasts.len()).expect("a handful of versions") + 1
    }
}

/// The events of an aggregate.
///
/// Its serde form is the codec's raw material: externally tagged by the wire name, `{"ticket.closed": {…}}`, which an enum
/// with `#[serde(rename = "ticket.closed")]` on each variant gives.
pub trait DomainEvent: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Every type there is.
    const TYPES: &'static [EventType];

    /// The wire name of this event's type.
    fn event_type(&self) -> &'static str;
}

/// An event ready for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The wire name of its type.
    pub event_type: &'static str,
    /// The version of the payload's shape.
    pub schema_version: i16,
    /// The event's members: a JSON object.
    pub payload: String,
}

/// Why an event could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{event_type} has no JSON form")]
pub struct EncodeError {
    /// The wire name of its type.
    pub event_type: &'static str,
    /// What the serialiser says; `None` if the form is not tagged by the wire name.
    pub source: Option<serde_json::Error>,
}

/// Why a stored event could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not an event of this aggregate, or one that this program is too old to know.
    #[error("unknown event type {event_type:?}")]
    UnknownType {
        /// What it is called.
        event_type: String,
    },
    /// The type is known, this version of its shape is not.
    #[error("{event_type} has the schema version {found}, this program knows 1 to {newest}")]
    UnknownVersion {
        /// The wire name of its type.
        event_type: &'static str,
        /// The version it has.
        found: i16,
        /// The newest version that can be read.
        newest: i16,
    },
    /// The payload has not the shape that type and version promise.
    #[error("malformed {event_type}, schema version {schema_version}")]
    Malformed {
        /// The wire name of its type.
        event_type: &'static str,
        /// The version it has.
        schema_version: i16,
        /// What the parser says.
        source: serde_json::Error,
    },
}

/// The type with that wire name, if it is one of this aggregate's.
pub fn event_type<E: DomainEvent>(name: &str) -> Option<&'static EventType> {
    E::TYPES.iter().find(|known| known.name == name)
}

/// Writes an event in its newest shape. The same event gives the same bytes.
///
/// # Errors
/// If its serde form is not tagged by its wire name, or that name is not among its types.
pub fn encode<E: DomainEvent>(event: &E) -> Result<Encoded, EncodeError> {
    let name = event.event_type();
    let failed = |source| EncodeError { event_type: name, source };
    let known = event_type::<E>(name).ok_or_else(|| failed(None))?;
    let tagged = serde_json::to_string(event).map_err(|error| failed(Some(error)))?;
    // {"ticket.closed":{…}}: the type has a column of its own, the payload is what is inside
    let payload = tagged
        .strip_prefix("{\"")
        .and_then(|rest| rest.strip_prefix(name))
        .and_then(|rest| rest.strip_prefix("\":"))
        .and_then(|rest| rest.strip_suffix('}'))
        .ok_or_else(|| failed(None))?;
    Ok(Encoded { event_type: name, schema_version: known.schema_version(), payload: payload.to_owned() })
}

/// Reads an event of any version.
///
/// # Errors
/// If the type or version is unknown, or the payload has another shape.
pub fn decode<E: DomainEvent>(name: &str, schema_version: i16, payload: &str) -> Result<E, DecodeError> {
    let Some(known) = event_type::<E>(name) else {
        return Err(DecodeError::UnknownType { event_type: name.to_owned() });
    };
    let newest = known.schema_version();
    let event_type = known.name;
    let done = usize::try_from(schema_version).ok().and_then(|version| version.checked_sub(1));
    let Some(steps) = done.and_then(|done| known.upcasts.get(done..)) else {
        return Err(DecodeError::UnknownVersion { event_type, found: schema_version, newest });
    };
    let malformed = |source| DecodeError::Malformed { event_type, schema_version, source };
    // serde would take a list of the members' values as well
    if !payload.trim_start().starts_with('{') {
        return Err(malformed(serde_json::Error::custom("a payload is a JSON object")));
    }
    let payload = if steps.is_empty() {
        Cow::Borrowed(payload)
    } else {
        let mut members = serde_json::from_str(payload).map_err(malformed)?;
        for step in steps {
            step(&mut members);
        }
        Cow::Owned(Value::Object(members).to_string())
    };
    serde_json::from_str(&format!("{{\"{event_type}\":{payload}}}")).map_err(malformed)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    enum Event {
        #[serde(rename = "door.opened")]
        Opened { by: String, wide: bool },
    }

    impl DomainEvent for Event {
        const TYPES: &'static [EventType] = &[EventType::upcast("door.opened", &[name_who, add_wide])];

        fn event_type(&self) -> &'static str {
            "door.opened"
        }
    }

    /// Version 1 said `who` for `by`.
    fn name_who(members: &mut Map<String, Value>) {
        if let Some(who) = members.remove("who") {
            members.insert("by".to_owned(), who);
        }
    }

    /// Before version 3 every door was opened wide.
    fn add_wide(members: &mut Map<String, Value>) {
        members.insert("wide".to_owned(), Value::from(true));
    }

    #[test]
    fn older_versions_are_upcast() {
        let opened = |wide| Event::Opened { by: "ada".to_owned(), wide };
        let read = |version, payload| decode::<Event>("door.opened", version, payload).ok();
        assert_eq!(read(1, r#"{"who":"ada"}"#), Some(opened(true)));
        assert_eq!(read(2, r#"{"by":"ada"}"#), Some(opened(true)));
        assert_eq!(read(3, r#"{"by":"ada","wide":false}"#), Some(opened(false)));
        // each version is read as what it was, and no other
        assert_eq!(read(3, r#"{"who":"ada"}"#), None);
        assert_eq!(read(4, r#"{"by":"ada","wide":false}"#), None);
        let written = encode(&opened(false)).ok();
        let payload = r#"{"by":"ada","wide":false}"#.to_owned();
        assert_eq!(written, Some(Encoded { event_type: "door.opened", schema_version: 3, payload }));
    }
}
