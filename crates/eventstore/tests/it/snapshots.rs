use eventstore::{Snapshot, SnapshotKey, Version};

use crate::world::{World, stream};

#[tokio::test]
async fn newest_snapshot_of_a_schema_is_found() {
    let world = World::new().await;
    let snapshot = |version| Snapshot { version: Version(version), state: format!("{{\"at\": {version}}}") };
    for version in [10, 20] {
        world.store.keep_snapshot(stream(1), 1, &snapshot(version)).await.unwrap();
    }
    world.store.keep_snapshot(stream(1), 1, &snapshot(20)).await.unwrap();
    let find =
        async |form, until: Option<i64>| world.store.snapshot(stream(1), form, until.map(Version)).await.unwrap();
    assert_eq!(find(1, None).await, Some(snapshot(20)));
    assert_eq!(find(1, Some(19)).await, Some(snapshot(10)));
    assert_eq!(find(1, Some(9)).await, None);
    assert_eq!(find(2, None).await, None, "another form is not read");
}

#[tokio::test]
async fn snapshots_are_listed_in_pages() {
    let world = World::new().await;
    let keys = [(1, 1, 10), (1, 1, 20), (1, 2, 5), (2, 1, 1)];
    let keys = keys.map(|(id, schema_version, version)| SnapshotKey {
        stream_id: stream(id),
        schema_version,
        version: Version(version),
    });
    for key in keys.iter().rev() {
        let snapshot = Snapshot { version: key.version, state: "{}".into() };
        world.store.keep_snapshot(key.stream_id, key.schema_version, &snapshot).await.unwrap();
    }
    let (first, rest) = (world.store.snapshots_after(None, 3).await.unwrap(), async |after| {
        world.store.snapshots_after(after, 3).await.unwrap()
    });
    assert_eq!(first, keys[..3]);
    assert_eq!(rest(Some(keys[2])).await, keys[3..]);
    assert_eq!(rest(Some(keys[3])).await, []);
}
