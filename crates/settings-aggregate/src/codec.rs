//! The stored form of a setting's events. Their names, and the history of their shapes, are the kind's; each version of
//! each type has a golden file in `tests/golden`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use shared_kernel::{DomainEvent, EventType};

use crate::event::Event;
use crate::kind::Kind;

impl<K: Kind> DomainEvent for Event<K> {
    const TYPES: &'static [EventType] = &[K::CREATED, K::REVISED, K::RETIRED];

    fn event_type(&self) -> &'static str {
        self.name()
    }
}

/// The payload of an event that has no members.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoMembers {}

// by hand, because serde's attributes take no name from a type parameter
impl<K: Kind> Serialize for Event<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Created(created) => map.serialize_entry(self.name(), created)?,
            Self::Revised(revised) => map.serialize_entry(self.name(), revised)?,
            Self::Retired => map.serialize_entry(self.name(), &NoMembers {})?,
        }
        map.end()
    }
}

impl<'de, K: Kind> Deserialize<'de> for Event<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OneEvent(PhantomData))
    }
}

struct OneEvent<K>(PhantomData<K>);

impl<'de, K: Kind> Visitor<'de> for OneEvent<K> {
    type Value = Event<K>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with one member, named by an event type of {}", K::NAME)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Event<K>, A::Error> {
        let name = map.next_key::<String>()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
        let event = if name == K::CREATED.name {
            Event::Created(map.next_value()?)
        } else if name == K::REVISED.name {
            Event::Revised(map.next_value()?)
        } else if name == K::RETIRED.name {
            map.next_value::<NoMembers>()?;
            Event::Retired
        } else {
            return Err(A::Error::custom(format_args!("{name:?} is not an event type of {}", K::NAME)));
        };
        if map.next_key::<String>()?.is_some() {
            return Err(A::Error::invalid_length(2, &self));
        }
        Ok(event)
    }
}
