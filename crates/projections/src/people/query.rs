//! The filters of the list of people.

use chrono::{DateTime, Utc};
use person_aggregate::Person;
use serde_json::{Value, json};
use shared_kernel::{EmailAddress, PersonId};
use sqlx::{Postgres, QueryBuilder};

use super::People;
use crate::error::ReadError;
use crate::ids::uuids;
use crate::reader::{AtLeast, Reader};
use crate::records::{RecordPage, RecordQuery, RecordRow};
use crate::tokenizer;

/// A page of the list of people.
pub type PeoplePage = RecordPage<PersonId, Person>;
/// A person in the list.
pub type PersonRow = RecordRow<PersonId, Person>;

/// A query of the list of people, in the order of their registration; all filters must match.
#[derive(Clone, Debug)]
pub struct PersonQuery {
    /// Any of these; empty: anybody.
    pub ids: Vec<PersonId>,
    /// Has this address. A person who was merged into another keeps theirs.
    pub address: Option<EmailAddress>,
    /// Has a name or an address in which these words follow each other; the last one may go on. Case makes no difference.
    pub q: Option<String>,
    /// Whether they were merged into another person.
    pub merged: Option<bool>,
    /// Whether they are blocked.
    pub blocked: Option<bool>,
    /// Page size.
    pub limit: u16,
    /// The cursor of the page; `None`: the first page.
    pub cursor: Option<String>,
}

impl Reader {
    /// A page of the list of people.
    pub async fn people(&self, query: &PersonQuery, at_least: AtLeast) -> Result<PeoplePage, ReadError> {
        self.records(&People, query, at_least).await
    }
}

impl RecordQuery for PersonQuery {
    type Model = People;
    type Id = PersonId;
    type Item = Person;
    type Key = DateTime<Utc>;

    const KEY: &'static str = "registered_at";

    fn filters(&self) -> Value {
        let address = self.address.as_ref().map(EmailAddress::key);
        json!([self.ids, address, self.q, self.merged, self.blocked])
    }

    fn push_filters(&self, sql: &mut QueryBuilder<Postgres>) {
        if !self.ids.is_empty() {
            sql.push(" and t.id = any(").push_bind(uuids(&self.ids)).push(")");
        }
        if let Some(address) = &self.address {
            sql.push(" and t.addresses @> ").push_bind(vec![address.key().to_owned()]);
        }
        if let Some(q) = &self.q {
            match tokenizer::parse_prefix(q) {
                Some(words) => sql.push(" and t.words @@ ").push_bind(words).push("::tsquery"),
                None => sql.push(" and false"),
            };
        }
        if let Some(merged) = self.merged {
            sql.push(" and (t.merged_into is not null) = ").push_bind(merged);
        }
        if let Some(blocked) = self.blocked {
            sql.push(" and t.blocked = ").push_bind(blocked);
        }
    }

    fn limit(&self) -> u16 {
        self.limit
    }

    fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    fn item(person: Person) -> Result<Person, String> {
        Ok(person)
    }
}
