//! Two desks on one database: each has a cache that knows nothing of what the other records.

use futures_util::future::join_all;

use crate::cast::{ada, assign, ben, hour, lea, note, rename, resolve, rita, route, system, tag, untag};
use crate::world::World;

#[tokio::test]
async fn stale_cache_is_refreshed() {
    let world = World::new().await;
    let beside = world.another().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, rename("Fire")).on(&beside).ok().await;
    let noted = world.when(ada(), ticket, note("seen")).ok().await;
    assert_eq!((noted.version, noted.ticket.subject.as_str()), (3, "Fire"));
}

#[tokio::test]
async fn rejection_is_believed_only_after_refresh() {
    let world = World::new().await;
    let beside = world.another().await;
    let ticket = world.open().await;
    world.when(lea(), ticket, assign("ada")).on(&beside).ok().await;
    // the first desk still knows the ticket without assignee
    assert_eq!(world.when(system(), ticket, resolve()).ok().await.version, 3);
}

#[tokio::test]
async fn no_effect_is_believed_only_after_refresh() {
    let world = World::new().await;
    let beside = world.another().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, tag("vip")).ok().await;
    world.when(ada(), ticket, untag("vip")).on(&beside).ok().await;
    let tagged = world.when(ada(), ticket, tag("vip")).ok().await;
    assert_eq!((tagged.version, tagged.events), (4, 1));
}

#[tokio::test]
async fn precondition_is_believed_only_after_refresh() {
    let world = World::new().await;
    let beside = world.another().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, note("there")).on(&beside).ok().await;
    assert_eq!(world.when(ada(), ticket, note("here")).if_version(&[2]).ok().await.version, 3);
    world.when(ada(), ticket, note("there")).on(&beside).ok().await;
    // the cache says version 3
    let refused = world.when(ada(), ticket, note("here")).if_version(&[3]).refused().await;
    assert_eq!((refused.code.as_str(), refused.current), ("precondition_failed", Some(4)));
}

#[tokio::test]
async fn invisibility_is_believed_only_after_refresh() {
    let world = World::new().await;
    let beside = world.another().await;
    let ticket = world.open().await;
    world.when(lea(), ticket, route("network")).on(&beside).ok().await;
    assert_eq!(world.when(ben(), ticket, note("mine now")).ok().await.version, 3);
}

#[tokio::test]
async fn lost_visibility_is_noticed_at_append() {
    let world = World::new().await;
    let beside = world.another().await;
    let ticket = world.open().await;
    world.when(lea(), ticket, route("network")).on(&beside).ok().await;
    // the first desk's cache still shows Ada the ticket
    world.when(ada(), ticket, note("not mine")).then_refused("not_found").await;
    assert_eq!(world.head().await, 2);
}

#[tokio::test]
async fn ticket_opened_elsewhere_is_found() {
    let world = World::new().await;
    let beside = world.another().await;
    let ticket = world.new_id();
    world.when(ada(), ticket, note("too early")).then_refused("not_found").await;
    world.opening(rita(), |_| {}).await.on_ticket(ticket).on(&beside).ok().await;
    assert_eq!(world.when(ada(), ticket, note("in time")).ok().await.version, 2);
}

#[tokio::test]
async fn time_follows_other_process() {
    let world = World::new().await;
    let beside = world.another().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, note("ahead")).at(5).on(&beside).ok().await;
    let lagging = world.when(ada(), ticket, note("behind")).at(3).ok().await;
    assert_eq!(lagging.ticket.updated_at, hour(5));
    assert_eq!(world.recorded(ticket).await[2].occurred_at, hour(5));
}

#[tokio::test]
async fn concurrent_commands_are_all_recorded() {
    let world = World::new().await;
    let beside = world.another().await;
    let ticket = world.open().await;
    let notes = (0..32).map(|n| {
        let desk = if n % 2 == 0 { &world.desk } else { &beside };
        world.when(ada(), ticket, note(&format!("note {n}"))).on(desk).ok()
    });
    let mut done: Vec<_> = join_all(notes).await.iter().map(|done| (done.version, done.position)).collect();
    done.sort_unstable();
    assert_eq!(done, (2..=33).map(|n| (n, n)).collect::<Vec<_>>());
    assert_eq!(world.head().await, 33);
}
