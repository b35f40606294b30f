//! The lists of settings.

use eventstore::{Position, StreamId};
use projections::{Projections, ReadError, Reader, SettingQuery};
use settings_aggregate::{Event, Setting, Team};
use shared_kernel::TeamId;

use crate::rebuilds::served;
use crate::records::{any_team, handle, queue, team_story};
use crate::world::{World, at_least};

const COUNT: u32 = 7;

async fn teams(world: &World) -> Position {
    for n in 0..COUNT {
        world.record_as::<Setting<Team>>(StreamId(queue(n).0), &team_story(n)).await;
    }
    world.store.head().await.unwrap()
}

async fn found(reader: &Reader, head: Position, query: SettingQuery<Team>) -> Vec<TeamId> {
    let page = reader.settings(&query, at_least(head)).await.unwrap();
    assert_eq!((page.position, page.next), (head, None));
    page.items.into_iter().map(|row| row.id).collect()
}

/// These teams, in the order of the bytes of their handles.
fn sorted(numbers: impl IntoIterator<Item = u32>) -> Vec<TeamId> {
    let mut numbers: Vec<_> = numbers.into_iter().collect();
    numbers.sort_by_key(|n| handle(*n));
    numbers.into_iter().map(queue).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn teams_are_what_their_streams_say() {
    let world = World::new().await;
    teams(&world).await;
    let process = world.process().await;
    world.assert_right(&process.reader).await;
    let head = world.record_as::<Setting<Team>>(StreamId(queue(1).0), &[Event::Retired]).await;
    world.assert_right(&process.reader).await;
    let page =
        process.reader.settings(&SettingQuery { ids: vec![queue(1)], ..any_team() }, at_least(head)).await.unwrap();
    let row = &page.items[0];
    assert_eq!((row.version.0, row.position, row.record.retired), (2, head, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn teams_are_filtered_and_sorted_by_handle() {
    let world = World::new().await;
    let head = teams(&world).await;
    let process = world.process().await;
    let retired = |retired| SettingQuery { retired: Some(retired), ..any_team() };
    assert_eq!(found(&process.reader, head, any_team()).await, sorted(0..COUNT));
    assert_eq!(found(&process.reader, head, retired(true)).await, sorted([0, 3, 6]));
    assert_eq!(found(&process.reader, head, retired(false)).await, sorted([1, 2, 4, 5]));
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_setting_begins_a_rebuild() {
    let world = World::new().await;
    let head = teams(&world).await;
    let process = world.process().await;
    world.assert_right(&process.reader).await;
    sqlx::query("update read_models.settings_1 set record = '{\"kind\": \"team\", \"setting\": {\"form\": \"old\"}}'")
        .execute(&world.pool)
        .await
        .unwrap();
    let refused = process.reader.settings(&any_team(), at_least(head)).await.unwrap_err();
    assert!(matches!(refused, ReadError::UnreadableRow(_)), "{refused}");
    served(&process.reader, "settings", 2).await;
    world.assert_right(&process.reader).await;
    let projections = Projections::new(world.store.clone(), world.pool.clone());
    assert_eq!(projections.verify(|_| {}).await.unwrap(), []);
}
