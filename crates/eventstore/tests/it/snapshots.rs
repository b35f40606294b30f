use eventstore::{Snapshot, Version};

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
