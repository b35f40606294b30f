//! The list of people.

use eventstore::{Position, StreamId};
use person_aggregate::Person;
use projections::{PersonQuery, ReadError, Reader};
use shared_kernel::{EmailAddress, PersonId};

use crate::records::{address, anybody, person_story, someone};
use crate::world::{World, at_least};

const COUNT: u32 = 9;

async fn people(world: &World) -> Position {
    for n in 0..COUNT {
        world.record_as::<Person>(StreamId(someone(n).0), &person_story(n)).await;
    }
    world.store.head().await.unwrap()
}

async fn found(reader: &Reader, head: Position, query: PersonQuery) -> Vec<PersonId> {
    let page = reader.people(&query, at_least(head)).await.unwrap();
    assert_eq!((page.position, page.next), (head, None));
    let mut ids: Vec<_> = page.items.into_iter().map(|row| row.id).collect();
    ids.sort();
    ids
}

fn sorted(numbers: impl IntoIterator<Item = u32>) -> Vec<PersonId> {
    let mut ids: Vec<_> = numbers.into_iter().map(someone).collect();
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_what_their_streams_say() {
    let world = World::new().await;
    people(&world).await;
    let process = world.process().await;
    world.assert_right(&process.reader).await;
    // live, and over rows that are not cached
    world.record_as::<Person>(StreamId(someone(COUNT).0), &person_story(COUNT)).await;
    let unblocked = [person_aggregate::Event::PersonUnblocked {}];
    let head = world.record_as::<Person>(StreamId(someone(2).0), &unblocked).await;
    world.assert_right(&process.reader).await;
    let page =
        process.reader.people(&PersonQuery { ids: vec![someone(2)], ..anybody() }, at_least(head)).await.unwrap();
    assert_eq!((page.items[0].version.0, page.items[0].position), (6, head));
}

#[tokio::test(flavor = "multi_thread")]
async fn person_is_found_by_exact_address() {
    let world = World::new().await;
    let head = people(&world).await;
    let process = world.process().await;
    let by = async |text: &str| {
        let address = Some(EmailAddress::parse(text).unwrap());
        found(&process.reader, head, PersonQuery { address, ..anybody() }).await
    };
    assert_eq!(by(address(4).as_str()).await, [someone(4)]);
    assert_eq!(by("person4@xn--bcher-kva.example").await, [someone(4)]);
    assert_eq!(by("person@xn--bcher-kva.example").await, []);
    assert_eq!(by("old.4@example.com").await, [], "it was removed");
    assert_eq!(by(address(3).as_str()).await, [someone(3)], "they were merged, and keep it");
}

#[tokio::test(flavor = "multi_thread")]
async fn person_is_found_by_prefix() {
    let world = World::new().await;
    let head = people(&world).await;
    let process = world.process().await;
    for (q, expected) in [
        ("pATR", sorted([0, 4, 8])),
        ("pat", sorted([0, 2, 3, 4, 6, 7, 8])),
        ("patricia o'bri", sorted([0, 4, 8])),
        ("brien number4", sorted([4])),
        ("pat 2", sorted([2])),
        ("person4@büch", sorted([4])),
        ("Person4@xn--bcher-kva.ex", sorted([4])),
        ("ricia", Vec::new()),
        ("o'brien patricia", Vec::new()),
        ("number4 person4", Vec::new()),
        ("", Vec::new()),
        ("' :* & | !", Vec::new()),
    ] {
        let query = PersonQuery { q: Some(q.into()), ..anybody() };
        assert_eq!(found(&process.reader, head, query).await, expected, "{q}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_filtered_by_state() {
    let world = World::new().await;
    let head = people(&world).await;
    let process = world.process().await;
    let merged = |merged| PersonQuery { merged: Some(merged), ..anybody() };
    assert_eq!(found(&process.reader, head, merged(true)).await, sorted([3, 7]));
    assert_eq!(found(&process.reader, head, merged(false)).await, sorted([0, 1, 2, 4, 5, 6, 8]));
    let blocked = |blocked| PersonQuery { blocked: Some(blocked), ..anybody() };
    assert_eq!(found(&process.reader, head, blocked(true)).await, sorted([2, 6]));
    assert_eq!(found(&process.reader, head, blocked(false)).await, sorted([0, 1, 3, 4, 5, 7, 8]));
}

#[tokio::test(flavor = "multi_thread")]
async fn cursor_is_bound_to_its_filters() {
    let world = World::new().await;
    let head = people(&world).await;
    let process = world.process().await;
    let page = process.reader.people(&PersonQuery { limit: 3, ..anybody() }, at_least(head)).await.unwrap();
    assert_eq!(page.items.len(), 3);
    let other = PersonQuery { cursor: page.next, blocked: Some(false), ..anybody() };
    let refused = process.reader.people(&other, at_least(head)).await.unwrap_err();
    assert!(matches!(refused, ReadError::InvalidCursor), "{refused}");
}
