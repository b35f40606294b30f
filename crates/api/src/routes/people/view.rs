//! People as clients see them.

use std::str::FromStr;

use desk::{DeskError, PersonName};
use eventstore::Version;
use person_aggregate::{IdentityValue, Person};
use serde::Serialize;
use serde_json::{Value, json};
use shared_kernel::{IdentityId, PersonId};
use utoipa::ToSchema;

use super::vocabulary;
use crate::app::App;
use crate::route::ResourceType;
use crate::routes::records::Resource;
use crate::schema::EXAMPLE_PERSON;
use crate::time::rfc3339;

/// Somebody who asks or helps.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Person)]
pub(in crate::routes) struct PersonView {
    #[schema(format = Uuid)]
    id: String,
    /// The version of their stream; the entity tag.
    version: i64,
    name: Option<String>,
    /// By what they are known, in the order of their numbers. Mail goes to the first address.
    identities: Vec<IdentityView>,
    /// Blocked people neither call nor get new tickets.
    blocked: bool,
    /// The person that they turned out to be. Nothing changes here any more.
    #[schema(format = Uuid)]
    merged_into: Option<String>,
    /// The people who turned out to be this one.
    #[schema(value_type = Vec<Uuid>)]
    merged: Vec<String>,
    #[schema(format = DateTime)]
    registered_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// By what a person is known.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Identity)]
struct IdentityView {
    /// Its number, which is never used for another one.
    identity: u32,
    #[schema(value_type = vocabulary::IdentityKind)]
    kind: String,
    /// The address, the subject of the account, or the name in the other system.
    value: String,
    /// Of an account: the OIDC provider.
    issuer: Option<String>,
}

impl IdentityView {
    fn new(identity: IdentityId, value: &IdentityValue) -> Self {
        let (text, issuer) = match value {
            IdentityValue::Email(address) => (address.to_string(), None),
            IdentityValue::Oidc(account) => (account.subject().to_owned(), Some(account.issuer().to_owned())),
            IdentityValue::External(name) => (name.to_string(), None),
        };
        Self { identity: identity.0, kind: value.kind().to_string(), value: text, issuer }
    }
}

impl PersonView {
    pub(super) fn new(id: PersonId, version: Version, person: &Person) -> Self {
        Self {
            id: id.to_string(),
            version: version.0,
            name: person.name.as_ref().map(ToString::to_string),
            identities: person.identities.iter().map(|(id, value)| IdentityView::new(*id, value)).collect(),
            blocked: person.blocked,
            merged_into: person.merged_into.map(|id| id.to_string()),
            merged: person.merged.iter().map(ToString::to_string).collect(),
            registered_at: rfc3339(person.registered_at),
            updated_at: rfc3339(person.updated_at),
        }
    }
}

/// A person's id in a path.
#[derive(Clone, Copy, Debug)]
pub(in crate::routes) struct PathPerson(PersonId);

impl FromStr for PathPerson {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.parse() {
            Ok(PersonName::Id(id)) => Ok(Self(id)),
            Ok(PersonName::Email(..)) | Err(_) => Err(()),
        }
    }
}

impl Resource for Person {
    const RESOURCE: ResourceType = ResourceType { name: "person", schema: "Person" };
    const PATH: &'static str = "/v1/people";
    const HAS_HANDLE: bool = false;

    type Name = PathPerson;
    type View = PersonView;

    async fn find(_: &App, PathPerson(id): PathPerson) -> Result<Option<PersonId>, DeskError> {
        Ok(Some(id))
    }

    async fn view(_: &App, id: PersonId, version: Version, person: &Self) -> Result<PersonView, DeskError> {
        Ok(PersonView::new(id, version, person))
    }

    fn example() -> Value {
        json!({
            "id": EXAMPLE_PERSON, "version": 2, "name": "Grace",
            "identities": [{"identity": 1, "kind": "email", "value": "grace@example.com", "issuer": null}],
            "blocked": false, "merged_into": null, "merged": [],
            "registered_at": "2026-01-31T09:00:00Z", "updated_at": "2026-01-31T09:00:00Z",
        })
    }
}
