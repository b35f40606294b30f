//! A snapshot saves reading a long ticket from its beginning; it is never the truth.

use ticket_aggregate::TicketId;

use crate::cast::{ada, lea, note, rename};
use crate::query::{at_time, at_version, now};
use crate::world::{World, eventually};

const SUBJECT: &str = "The printer is on fire";

/// A ticket at version 101, of which a snapshot has been kept.
async fn until_kept(world: &World, ticket: TicketId) {
    eventually("a snapshot is kept", async || {
        let version: Option<i64> = sqlx::query_scalar("select version from snapshots where stream_id = $1")
            .bind(ticket.0)
            .fetch_optional(&world.owner)
            .await
            .unwrap();
        version.map(|version| assert_eq!(version, 101))
    })
    .await;
}

async fn long_ticket(world: &World) -> TicketId {
    let ticket = world.open().await;
    world.when_all(ada(), ticket, vec![note("n"); 100]).ok().await;
    until_kept(world, ticket).await;
    ticket
}

/// Marks the snapshot, to see whether it was used.
async fn mark(world: &World) {
    world.tamper("update snapshots set state = replace(state::text, 'The printer is on fire', 'marked')::json").await;
}

#[tokio::test]
async fn snapshot_is_used() {
    let world = World::new().await;
    let ticket = long_ticket(&world).await;
    mark(&world).await;
    assert_eq!(world.when(ada(), ticket, note("n")).ok().await.version, 102);
    let read = now(&world.another().await, &lea(), ticket).await.unwrap();
    assert_eq!((read.version, read.ticket.subject.as_str()), (102, "marked"));
    let read = at_version(&world.another().await, &lea(), ticket, 101).await.unwrap();
    assert_eq!((read.version, read.ticket.subject.as_str()), (101, "marked"));
}

#[tokio::test]
async fn snapshot_is_same_as_fold() {
    let world = World::new().await;
    let ticket = long_ticket(&world).await;
    let with = now(&world.another().await, &lea(), ticket).await.unwrap();
    world.tamper("delete from snapshots").await;
    let without = now(&world.another().await, &lea(), ticket).await.unwrap();
    assert_eq!(with, without);
}

#[tokio::test]
async fn snapshot_is_not_used_for_earlier_version() {
    let world = World::new().await;
    let ticket = long_ticket(&world).await;
    mark(&world).await;
    let read = at_version(&world.another().await, &lea(), ticket, 100).await.unwrap();
    assert_eq!((read.version, read.ticket.subject.as_str()), (100, SUBJECT));
    let read = at_time(&world.another().await, &lea(), ticket, 0).await.unwrap();
    assert_eq!((read.version, read.ticket.subject.as_str()), (101, SUBJECT));
}

#[tokio::test]
async fn unreadable_snapshot_is_ignored() {
    let world = World::new().await;
    let ticket = long_ticket(&world).await;
    for state in ["{}", "null", "[1]"] {
        world.tamper(&format!("update snapshots set state = '{state}'")).await;
        let read = now(&world.another().await, &lea(), ticket).await.unwrap();
        assert_eq!((read.version, read.ticket.subject.as_str()), (101, SUBJECT), "{state}");
    }
    let renamed = world.when(ada(), ticket, rename("Fire")).on(&world.another().await).ok().await;
    assert_eq!(renamed.version, 102);
}

#[tokio::test]
async fn snapshot_of_other_schema_is_ignored() {
    let world = World::new().await;
    let ticket = long_ticket(&world).await;
    mark(&world).await;
    world.tamper("update snapshots set schema_version = schema_version + 1").await;
    assert_eq!(now(&world.another().await, &lea(), ticket).await.unwrap().ticket.subject, SUBJECT);
}

#[tokio::test]
async fn snapshot_of_other_ticket_is_ignored() {
    let world = World::new().await;
    let ticket = long_ticket(&world).await;
    let other = world.open().await;
    world.when_all(ada(), other, vec![note("n"); 100]).ok().await;
    until_kept(&world, other).await;
    world.tamper(&format!("delete from snapshots where stream_id = '{other}'")).await;
    mark(&world).await;
    world.tamper(&format!("update snapshots set stream_id = '{other}'")).await;
    let read = now(&world.another().await, &lea(), other).await.unwrap();
    assert_eq!((read.ticket.number.get(), read.ticket.subject.as_str()), (2, SUBJECT));
    assert_eq!(now(&world.another().await, &lea(), ticket).await.unwrap().ticket.subject, SUBJECT);
}

#[tokio::test]
async fn short_ticket_has_no_snapshot() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when_all(ada(), ticket, vec![note("n"); 98]).ok().await;
    // the long one's snapshot is awaited: were there one of the short one, it would have come before
    long_ticket(&world).await;
    let kept: i64 = sqlx::query_scalar("select count(*) from snapshots where stream_id = $1")
        .bind(ticket.0)
        .fetch_one(&world.owner)
        .await
        .unwrap();
    assert_eq!(kept, 0);
}
