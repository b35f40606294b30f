//! Who asks, as bodies name them.

use desk::PersonName;
use serde::Deserialize;
use shared_kernel::{EmailAddress, PersonId};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::problem::{FieldError, at};

/// The person who asks: by `person_id`, or by `email`. An address that leads to nobody is registered, with the name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Asker {
    /// Somebody who is known.
    person_id: Option<Uuid>,
    #[schema(max_length = 254, pattern = "address", example = "grace@example.com")]
    email: Option<String>,
    /// For an address that is new; who is known keeps their name.
    #[schema(max_length = 200, pattern = "printable", example = "Grace")]
    name: Option<String>,
}

impl Asker {
    /// The person that is meant; pointers begin with `/requester`.
    pub(super) fn parse(self) -> Result<PersonName, FieldError> {
        match (self.person_id, self.email, self.name) {
            (Some(id), None, None) => Ok(PersonName::Id(PersonId(id))),
            (Some(_), None, Some(_)) => Err(FieldError::new("/requester/name", "is for a new address only")),
            (None, Some(email), name) => {
                let address = at("/requester/email", EmailAddress::parse(&email))?;
                Ok(PersonName::Email(address, name.filter(|name| !name.trim().is_empty())))
            }
            (Some(_), Some(_), _) => Err(FieldError::new("/requester", "give person_id or email, not both")),
            (None, None, _) => Err(FieldError::new("/requester", "give person_id or email")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::schema::EXAMPLE_ID;

    fn parsed(asker: Value) -> Result<PersonName, String> {
        serde_json::from_value::<Asker>(asker).unwrap().parse().map_err(|fault| fault.pointer)
    }

    #[test]
    fn asker_is_an_id_or_an_address() {
        assert_eq!(parsed(json!({"person_id": EXAMPLE_ID})), Ok(EXAMPLE_ID.parse().unwrap()));
        let address = EmailAddress::parse("grace@example.com").unwrap();
        let named = |name: Option<&str>| Ok(PersonName::Email(address.clone(), name.map(str::to_owned)));
        assert_eq!(parsed(json!({"email": "grace@example.com", "name": " "})), named(None));
        assert_eq!(parsed(json!({"email": "grace@example.com", "name": "Grace"})), named(Some("Grace")));
    }

    #[test]
    fn unclear_asker_is_refused() {
        for (asker, pointer) in [
            (json!({}), "/requester"),
            (json!({"name": "Grace"}), "/requester"),
            (json!({"person_id": EXAMPLE_ID, "email": "a@b.c"}), "/requester"),
            (json!({"person_id": EXAMPLE_ID, "name": "Grace"}), "/requester/name"),
            (json!({"email": "nobody"}), "/requester/email"),
        ] {
            assert_eq!(parsed(asker.clone()), Err(pointer.to_owned()), "{asker}");
        }
    }
}
