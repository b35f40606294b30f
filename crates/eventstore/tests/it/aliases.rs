use eventstore::{AppendError, HeldAliases, StreamId, Unit, Version};

use crate::world::{World, append, appended, event, exact, receipt, stream, unit};

fn named(command: u128, id: u128, name: &str) -> Unit {
    unit(command, stream(id), exact(0), vec![event("{}")]).take_alias("name", name, stream(id))
}

fn next(command: u128, id: u128, version: i64) -> Unit {
    unit(command, stream(id), exact(version), vec![event("{}")])
}

async fn holder(world: &World, name: &str) -> Option<StreamId> {
    world.store.resolve("name", name).await.unwrap()
}

#[tokio::test]
async fn released_alias_is_free() {
    let world = World::new().await;
    appended(world.store.append(named(1, 1, "one")).await);
    appended(world.store.append(next(2, 1, 1).release_alias("name", "one", stream(1))).await);
    assert_eq!(holder(&world, "one").await, None);
    appended(world.store.append(named(3, 2, "one")).await);
    assert_eq!(holder(&world, "one").await, Some(stream(2)));
}

#[tokio::test]
async fn alias_changes_only_with_an_event() {
    let world = World::new().await;
    appended(world.store.append(named(1, 1, "one")).await);
    let silent = || unit(2, stream(1), exact(1), vec![]).receipt(receipt("k"));
    let other = append(stream(2), exact(0), vec![event("{}")]);
    let moves = [
        silent().take_alias("name", "two", stream(1)),
        silent().release_alias("name", "one", stream(1)),
        // the other stream's event says nothing of this one
        silent().append(other).take_alias("name", "two", stream(1)),
    ];
    for unit in moves {
        let answer = world.store.append(unit).await;
        assert!(matches!(answer, Err(AppendError::Malformed(_))), "{answer:?}");
    }
    assert_eq!((holder(&world, "one").await, holder(&world, "two").await), (Some(stream(1)), None));
}

#[tokio::test]
async fn release_and_take_in_one_unit_move_an_alias() {
    let world = World::new().await;
    appended(world.store.append(named(1, 1, "one")).await);
    let moved = named(2, 2, "one").release_alias("name", "one", stream(1));
    appended(world.store.append(moved.clone()).await);
    assert_eq!(holder(&world, "one").await, Some(stream(2)));
    // once more: stream 1 does not hold it any more
    let again = world.store.append(next(3, 2, 1).release_alias("name", "one", stream(1))).await;
    assert!(matches!(again, Err(AppendError::AliasNotHeld { holder: Some(h), .. }) if h == stream(2)), "{again:?}");
    // also in a batch of which another unit is refused
    let (refused, moved) = tokio::join!(
        world.store.append(next(4, 1, 7)),
        world.store.append(next(5, 1, 1).take_alias("name", "one", stream(1)).release_alias("name", "one", stream(2))),
    );
    refused.unwrap_err();
    appended(moved);
    assert_eq!(holder(&world, "one").await, Some(stream(1)));
}

#[tokio::test]
async fn release_of_an_alias_that_is_not_held_refuses_the_unit() {
    let world = World::new().await;
    appended(world.store.append(named(1, 1, "one")).await);
    for (name, by) in [("one", 2), ("none", 1)] {
        let answer = world.store.append(next(2, 1, 1).release_alias("name", name, stream(by))).await;
        assert!(matches!(answer, Err(AppendError::AliasNotHeld { .. })), "{answer:?}");
    }
    assert_eq!(world.log().await.len(), 1, "nothing of a refused unit is left");
    // a refused unit releases nothing
    let conflict = world.store.append(next(3, 1, 7).release_alias("name", "one", stream(1))).await;
    assert!(matches!(conflict, Err(AppendError::Conflict { .. })), "{conflict:?}");
    assert_eq!(holder(&world, "one").await, Some(stream(1)));
    // the neighbours' names are what they would be without it
    let (released, taken) = tokio::join!(
        world.store.append(next(4, 1, 1).release_alias("name", "one", stream(1))),
        world.store.append(named(5, 5, "one")),
    );
    appended(released);
    appended(taken);
    assert_eq!(holder(&world, "one").await, Some(stream(5)));
}

#[tokio::test]
async fn aliases_of_streams_are_read_with_their_versions() {
    let world = World::new().await;
    appended(world.store.append(named(1, 1, "one").take_alias("mail", "m", stream(1))).await);
    appended(world.store.append(next(2, 2, 0)).await);
    let held = world.store.held_aliases(&[stream(3), stream(2), stream(1)]).await.unwrap();
    let aliases = |names: &[(&str, &str)]| names.iter().map(|(s, n)| ((*s).to_owned(), (*n).to_owned())).collect();
    let expected = [(1, 1, aliases(&[("mail", "m"), ("name", "one")])), (2, 1, aliases(&[])), (3, 0, aliases(&[]))];
    let expected = expected.map(|(id, version, aliases): (u128, i64, Vec<_>)| HeldAliases {
        stream_id: stream(id),
        version: Version(version),
        aliases,
    });
    assert_eq!(held, expected);
}
