use ticket_aggregate::Command;

use crate::cast::{ada, assign, ben, lea, note, rename, reply, resolve, rita, tag};
use crate::world::World;

#[tokio::test]
async fn matching_version_proceeds() {
    let world = World::new().await;
    let ticket = world.open().await;
    assert_eq!(world.when(ada(), ticket, note("one")).if_version(&[1]).ok().await.version, 2);
    assert_eq!(world.when(ada(), ticket, note("two")).if_version(&[1, 2]).ok().await.version, 3);
}

#[tokio::test]
async fn stale_version_fails_with_events_in_between() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when_all(ada(), ticket, vec![note("one"), reply("two")]).ok().await;
    let refused = world.when(ada(), ticket, rename("Fire")).if_version(&[1]).refused().await;
    assert_eq!((refused.code.as_str(), refused.current, refused.more), ("precondition_failed", Some(3), None));
    assert_eq!(refused.between, ["internal_note_added", "public_reply_added"]);
    assert_eq!(world.head().await, 3);
}

#[tokio::test]
async fn stale_version_names_events_after_newest_known() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when_all(ada(), ticket, vec![note("one"), reply("two")]).ok().await;
    let refused = world.when(ada(), ticket, rename("Fire")).if_version(&[1, 2]).refused().await;
    assert_eq!(refused.between, ["public_reply_added"]);
}

#[tokio::test]
async fn stale_version_hides_internal_events_from_requester() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when_all(ada(), ticket, vec![note("one"), reply("two")]).ok().await;
    let refused = world.when(rita(), ticket, reply("three")).if_version(&[1]).refused().await;
    assert_eq!((refused.current, refused.between), (Some(3), vec!["public_reply_added".to_owned()]));
}

#[tokio::test]
async fn stale_version_pages_events_in_between() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when_all(ada(), ticket, vec![note("n"); 201]).ok().await;
    let refused = world.when(ada(), ticket, rename("Fire")).if_version(&[1]).refused().await;
    assert_eq!((refused.current, refused.between.len(), refused.more), (Some(202), 200, Some(201)));
}

#[tokio::test]
async fn future_version_fails() {
    let world = World::new().await;
    let ticket = world.open().await;
    let refused = world.when(ada(), ticket, note("one")).if_version(&[2]).refused().await;
    assert_eq!((refused.code.as_str(), refused.current, refused.between.len()), ("precondition_failed", Some(1), 0));
    let refused = world.when(ada(), ticket, note("one")).if_version(&[]).refused().await;
    assert_eq!((refused.code.as_str(), refused.current), ("precondition_failed", Some(1)));
}

#[tokio::test]
async fn stale_version_fails_also_without_effect() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, tag("vip")).ok().await;
    world.when(ada(), ticket, tag("vip")).if_version(&[1]).then_refused("precondition_failed").await;
    assert_eq!(world.when(ada(), ticket, tag("vip")).if_version(&[2]).ok().await.events, 0);
}

#[tokio::test]
async fn precondition_is_checked_after_permission() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ben(), ticket, note("unseen")).if_version(&[7]).then_refused("not_found").await;
    world.when(rita(), ticket, note("secret")).if_version(&[7]).then_refused("forbidden").await;
    world.when(ada(), ticket, assign("ben")).if_version(&[7]).then_refused("assign_others").await;
}

#[tokio::test]
async fn precondition_is_checked_before_state() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, resolve()).ok().await;
    world.when(ada(), ticket, resolve()).if_version(&[1]).then_refused("precondition_failed").await;
    world.when(ada(), ticket, resolve()).if_version(&[3]).then_refused("illegal_transition").await;
}

#[tokio::test]
async fn one_version_admits_one_command() {
    let world = World::new().await;
    let beside = world.another().await;
    let ticket = world.open().await;
    // both have decided on version 1 when the first is let in
    let held = world.hold_appends().await;
    let (first, second, ()) = tokio::join!(
        world.when(ada(), ticket, note("first")).if_version(&[1]).run(),
        async {
            world.until_waiting(1).await;
            world.when(ada(), ticket, note("second")).if_version(&[1]).on(&beside).run().await
        },
        async {
            world.until_waiting(2).await;
            held.commit().await.unwrap();
        },
    );
    assert_eq!(first.unwrap().version, 2);
    let refused = second.unwrap_err();
    assert_eq!((refused.code.as_str(), refused.current), ("precondition_failed", Some(2)));
    assert_eq!(refused.between, ["internal_note_added"]);
    assert_eq!(world.head().await, 2);
}

#[tokio::test]
async fn any_version_retries_after_conflict() {
    let world = World::new().await;
    let beside = world.another().await;
    let ticket = world.open().await;
    let held = world.hold_appends().await;
    let (first, second, ()) = tokio::join!(
        world.when(ada(), ticket, resolve()).run(),
        async {
            world.until_waiting(1).await;
            world.when(lea(), ticket, Command::Start).on(&beside).run().await
        },
        async {
            world.until_waiting(2).await;
            held.commit().await.unwrap();
        },
    );
    assert_eq!(first.unwrap().version, 3);
    // decided again, on the ticket that is resolved by now
    assert_eq!(second.unwrap_err().code, "illegal_transition");
    assert_eq!(world.head().await, 3);
}
