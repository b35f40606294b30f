//! Personal text within an event's payload.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::PersonId;

/// Text that says something of a person (words they wrote, their name, an address), and whose it is.
///
/// Every event keeps such text in one member, `personal`, keyed by the person:
/// `"personal": {"0192…": {"subject": "…", "body": "…"}}`. So it can be sealed with that person's key later, in place and
/// without another change of shape. What belongs to nobody that is known stands under [`PersonId::NOBODY`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Personal<T> {
    /// The person whom it is about.
    pub of: PersonId,
    /// What is said.
    pub text: T,
}

impl<T> Personal<T> {
    /// Text about a person, or about nobody that is known.
    pub fn new(of: Option<PersonId>, text: T) -> Self {
        Self { of: of.unwrap_or(PersonId::NOBODY), text }
    }
}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&self.of, &self.text)?;
        map.end()
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OnePerson(PhantomData))
    }
}

struct OnePerson<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for OnePerson<T> {
    type Value = Personal<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with one member, named by a person's id")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (of, text) = map.next_entry()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
        if map.next_key::<PersonId>()?.is_some() {
            return Err(A::Error::invalid_length(2, &self));
        }
        Ok(Personal { of, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_is_one_member_named_by_the_person() {
        let person = PersonId(uuid::Uuid::from_u128(7));
        let personal = Personal::new(Some(person), vec!["a".to_owned()]);
        let json = serde_json::to_string(&personal).unwrap_or_default();
        assert_eq!(json, r#"{"00000000-0000-0000-0000-000000000007":["a"]}"#);
        assert_eq!(serde_json::from_str::<Personal<Vec<String>>>(&json).ok(), Some(personal));
    }

    #[test]
    fn personal_refuses_none_and_two() {
        for json in [
            "{}",
            r#"{"x":1}"#,
            r#"{"00000000-0000-0000-0000-000000000007":1,"00000000-0000-0000-0000-000000000008":1}"#,
        ] {
            assert!(serde_json::from_str::<Personal<i32>>(json).is_err(), "{json}");
        }
    }
}
