//! People, for the read models that have a row per record, and the folds that they are held against.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use eventstore::{Position, StreamId};
use person_aggregate::{Event, IdentityAdded, IdentityValue, NameChange, Person, PersonName, RegisteredName};
use projections::{PersonQuery, Reader, RecordPage};
use shared_kernel::testing::person;
use shared_kernel::{Aggregate, EmailAddress, IdentityId, PersonId, Personal};

use crate::world::{World, at_least};

/// Some records of every kind.
pub(crate) async fn record(world: &World) {
    for n in 0..7 {
        world.record_as::<Person>(StreamId(someone(n).0), &person_story(n)).await;
    }
}

/// Every model with a row per record, once it has read everything, is what the streams say.
pub(crate) async fn assert_right(world: &World, reader: &Reader) {
    let head = world.store.head().await.unwrap();
    let people = walk(async |cursor| {
        let query = PersonQuery { cursor, limit: 2, ..anybody() };
        reader.people(&query, at_least(head)).await.unwrap()
    });
    assert_folds::<Person>(world, people.await).await;
}

/// Reads a list page by page.
pub(crate) async fn walk<I: Copy + Debug + Into<uuid::Uuid>, R>(
    mut page: impl AsyncFnMut(Option<String>) -> RecordPage<I, R>,
) -> BTreeMap<StreamId, R> {
    let mut all = BTreeMap::new();
    let mut cursor = None;
    loop {
        let RecordPage { items, next, position } = page(cursor).await;
        for row in items {
            assert!(row.version.0 > 0 && row.position > Position(0) && row.position <= position);
            assert!(all.insert(StreamId(row.id.into()), row.record).is_none(), "{:?} twice", row.id);
        }
        cursor = next;
        if cursor.is_none() {
            return all;
        }
    }
}

async fn assert_folds<A: Aggregate>(world: &World, found: BTreeMap<StreamId, A::State>) {
    let expected = world.folded_as::<A>().await;
    assert_eq!(found.len(), expected.len(), "as many rows as records of type {}", A::TYPE);
    for (stream, state) in &expected {
        assert_eq!(found.get(stream), Some(state));
    }
}

/// Everybody, in pages of 200.
pub(crate) fn anybody() -> PersonQuery {
    PersonQuery { ids: Vec::new(), address: None, q: None, merged: None, blocked: None, limit: 200, cursor: None }
}

pub(crate) fn someone(n: u32) -> PersonId {
    person(&format!("person {n}"))
}

pub(crate) fn address(n: u32) -> EmailAddress {
    EmailAddress::parse(&format!("Person{n}@Bücher.Example")).unwrap()
}

/// A person with a story of their own; `n` decides on everything.
pub(crate) fn person_story(n: u32) -> Vec<Event> {
    let id = Some(someone(n));
    let name = |text: String| Some(PersonName::parse(&text).unwrap());
    let identity = |identity, value| {
        Event::IdentityAdded(IdentityAdded { identity: IdentityId(identity), personal: Personal::new(id, value) })
    };
    let mut events = vec![
        Event::PersonRegistered { personal: Personal::new(id, RegisteredName { name: name(format!("Pat {n}")) }) },
        identity(1, IdentityValue::Email(address(n))),
        identity(2, IdentityValue::Email(EmailAddress::parse(&format!("old.{n}@example.com")).unwrap())),
        Event::IdentityRemoved { identity: IdentityId(2) },
    ];
    let (from, to) = (name(format!("Pat {n}")), name(format!("Patricia \"O'Brien\" \\ Number{n}")));
    match n % 4 {
        0 => events.push(Event::PersonRenamed { personal: Personal::new(id, NameChange { from, to }) }),
        1 => events.push(Event::PersonRenamed { personal: Personal::new(id, NameChange { from, to: None }) }),
        2 => events.push(Event::PersonBlocked { reason: "spam".into() }),
        _ => events.push(Event::PersonMerged { into: someone(0) }),
    }
    if n == 0 {
        events.push(Event::MergeReceived { source: someone(3), includes: BTreeSet::from([someone(7)]) });
    }
    events
}
