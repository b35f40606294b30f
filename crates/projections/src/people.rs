//! The read model `people`: lists of people, by address, and by the beginning of a name or an address.

mod query;

use person_aggregate::{IdentityValue, Person, PersonName};
use serde_json::json;
use shared_kernel::EmailAddress;

use crate::records::{Columns, Records, Stream, columns};
use crate::tokenizer;
pub use query::{PeoplePage, PersonQuery, PersonRow};

pub(crate) struct People;

impl Records for People {
    const NAME: &'static str = "people";
    const SCHEMA_VERSION: i32 = 1;
    const SCHEMA: &'static str = include_str!("people/schema.sql");
    const INDEXES: &'static str = include_str!("people/indexes.sql");

    type Record = Person;

    fn streams() -> &'static [Stream<Person>] {
        const { &[Stream::of::<Person>()] }
    }

    fn columns(person: &Person) -> Columns {
        let addresses = addresses(person).map(EmailAddress::key).collect::<Vec<_>>();
        let name = person.name.as_ref().map(PersonName::as_str);
        let texts = name.into_iter().chain(addresses_as_words(person));
        columns([
            ("name", json!(name)),
            ("addresses", json!(addresses)),
            ("words", tokenizer::text_vector(texts).into()),
            ("merged_into", json!(person.merged_into)),
            ("blocked", person.blocked.into()),
            ("registered_at", json!(person.registered_at)),
        ])
    }
}

fn addresses(person: &Person) -> impl Iterator<Item = &EmailAddress> {
    person.identities.values().filter_map(|identity| match identity {
        IdentityValue::Email(address) => Some(address),
        IdentityValue::Oidc(_) | IdentityValue::External(_) => None,
    })
}

/// The addresses as they were written, and as they stand in the DNS.
fn addresses_as_words(person: &Person) -> impl Iterator<Item = &str> {
    addresses(person).flat_map(|address| {
        let key = Some(address.key()).filter(|key| !address.as_str().eq_ignore_ascii_case(key));
        std::iter::once(address.as_str()).chain(key)
    })
}
