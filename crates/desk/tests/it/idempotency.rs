use ticket_aggregate::{Command, Status};

use crate::cast::{ada, assign, lea, note, resolve, rita, route, system};
use crate::world::World;

#[tokio::test]
async fn retry_replays_version_and_status() {
    let world = World::new().await;
    let ticket = world.open().await;
    let first = world.when(ada(), ticket, note("once")).key("k", "f").ok().await;
    assert_eq!((first.version, first.position, first.events, first.replayed), (2, 2, 1, None));
    let again = world.when(ada(), ticket, note("once")).key("k", "f").at(1).ok().await;
    assert_eq!((again.version, again.position, again.events, again.replayed), (2, 2, 0, Some(201)));
    assert_eq!(again.ticket, first.ticket);
    assert_eq!(world.head().await, 2);
}

#[tokio::test]
async fn replay_shows_ticket_as_it_was() {
    let world = World::new().await;
    let ticket = world.open().await;
    let first = world.when(ada(), ticket, note("once")).key("k", "f").ok().await;
    world.when(ada(), ticket, resolve()).ok().await;
    let again = world.when(ada(), ticket, note("once")).key("k", "f").ok().await;
    assert_eq!((again.version, again.position, &again.ticket), (2, 2, &first.ticket));
}

#[tokio::test]
async fn replay_comes_from_any_desk() {
    let world = World::new().await;
    let beside = world.another().await;
    let ticket = world.open().await;
    let first = world.when(ada(), ticket, note("once")).key("k", "f").ok().await;
    let again = world.when(ada(), ticket, note("once")).key("k", "f").on(&beside).ok().await;
    assert_eq!((again.version, again.position, again.replayed), (2, 2, Some(201)));
    assert_eq!(again.ticket, first.ticket);
    assert_eq!(world.head().await, 2);
}

#[tokio::test]
async fn other_fingerprint_is_key_reuse() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, note("once")).key("k", "f").ok().await;
    world.when(ada(), ticket, note("twice")).key("k", "g").then_refused("key_reused").await;
    world.opening(ada(), |_| {}).await.key("k", "g").then_refused("key_reused").await;
    assert_eq!(world.head().await, 2);
}

#[tokio::test]
async fn keys_of_callers_are_apart() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, note("hers")).key("k", "f").ok().await;
    let other = world.when(lea(), ticket, note("hers")).key("k", "f").ok().await;
    assert_eq!((other.version, other.replayed), (3, None));
}

#[tokio::test]
async fn rejection_leaves_no_receipt() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(system(), ticket, resolve()).key("k", "f").then_refused("no_assignee").await;
    world.when(lea(), ticket, assign("ada")).ok().await;
    let resolved = world.when(system(), ticket, resolve()).key("k", "f").ok().await;
    assert_eq!((resolved.version, resolved.replayed), (3, None));
}

#[tokio::test]
async fn failed_precondition_leaves_no_receipt() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, note("n")).key("k", "f").if_version(&[7]).then_refused("precondition_failed").await;
    let noted = world.when(ada(), ticket, note("n")).key("k", "f").if_version(&[1]).ok().await;
    assert_eq!((noted.version, noted.replayed), (2, None));
}

#[tokio::test]
async fn replay_goes_before_precondition() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, note("once")).key("k", "f").if_version(&[1]).ok().await;
    let again = world.when(ada(), ticket, note("once")).key("k", "f").if_version(&[1]).ok().await;
    assert_eq!((again.version, again.replayed), (2, Some(201)));
}

#[tokio::test]
async fn replay_goes_before_rejection() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, resolve()).key("k", "f").ok().await;
    let again = world.when(ada(), ticket, resolve()).key("k", "f").ok().await;
    assert_eq!((again.version, again.ticket.status, again.replayed), (3, Status::Resolved, Some(201)));
}

#[tokio::test]
async fn replay_outlives_visibility() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, route("network")).key("k", "f").ok().await;
    world.when(ada(), ticket, note("gone")).then_refused("not_found").await;
    let again = world.when(ada(), ticket, route("network")).key("k", "f").ok().await;
    assert_eq!((again.version, again.replayed), (2, Some(201)));
}

#[tokio::test]
async fn key_reuse_goes_before_visibility() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, route("network")).key("k", "f").ok().await;
    world.when(ada(), ticket, note("gone")).key("k", "g").then_refused("key_reused").await;
}

#[tokio::test]
async fn opening_replays_to_first_ticket() {
    let world = World::new().await;
    // each attempt comes with an id and a number of its own
    let first = world.opening(rita(), |_| {}).await.key("k", "f").ok().await;
    let again = world.opening(rita(), |_| {}).await.key("k", "f").ok().await;
    assert_eq!((again.id, again.version, again.replayed), (first.id, 1, Some(201)));
    assert_eq!(again.ticket, first.ticket);
    assert_eq!(world.head().await, 1);
}

#[tokio::test]
async fn one_key_used_at_once_records_once() {
    let world = World::new().await;
    let beside = world.another().await;
    let ticket = world.open().await;
    let held = world.hold_appends().await;
    let (first, second, ()) = tokio::join!(
        world.when(ada(), ticket, note("once")).key("k", "f").run(),
        async {
            world.until_waiting(1).await;
            world.when(ada(), ticket, note("once")).key("k", "f").on(&beside).run().await
        },
        async {
            world.until_waiting(2).await;
            held.commit().await.unwrap();
        },
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.version, first.position, first.replayed), (2, 2, None));
    assert_eq!((second.version, second.position, second.replayed), (2, 2, Some(201)));
    assert_eq!(world.head().await, 2);
}

#[tokio::test]
async fn one_key_opening_at_once_opens_once() {
    let world = World::new().await;
    let beside = world.another().await;
    let (one, other) = (world.opening(rita(), |_| {}).await, world.opening(rita(), |_| {}).await);
    let held = world.hold_appends().await;
    let (first, second, ()) = tokio::join!(
        one.key("k", "f").run(),
        async {
            world.until_waiting(1).await;
            other.key("k", "f").on(&beside).run().await
        },
        async {
            world.until_waiting(2).await;
            held.commit().await.unwrap();
        },
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((second.id, second.replayed), (first.id, Some(201)));
    assert_eq!(world.head().await, 1);
}

#[tokio::test]
async fn key_serves_several_commands() {
    let world = World::new().await;
    let ticket = world.open().await;
    let both = || vec![note("one"), Command::Start];
    assert_eq!(world.when_all(ada(), ticket, both()).key("k", "f").ok().await.version, 3);
    let again = world.when_all(ada(), ticket, both()).key("k", "f").ok().await;
    assert_eq!((again.version, again.replayed), (3, Some(201)));
    assert_eq!(world.head().await, 3);
}
