//! Versions that a unit demands of streams to which it appends nothing.

use std::time::Duration;

use eventstore::{AppendError, Expected, Options, Unit, Version};

use crate::world::{World, append, appended, assert_sound, event, exact, stream, unit};

fn demanding(command: u128, id: u128, demanded: u128, version: i64) -> Unit {
    unit(command, stream(id), Expected::Any, vec![event("{}")]).demand(stream(demanded), Version(version))
}

#[tokio::test]
async fn demand_of_another_version_is_a_conflict() {
    let world = World::new().await;
    appended(world.store.append(unit(1, stream(1), exact(0), vec![event("{}")])).await);
    for (wrong, current) in [(0, 1), (2, 1)] {
        let answer = world.store.append(demanding(2, 2, 1, wrong)).await;
        let Err(AppendError::Conflict { stream_id, current: at }) = answer else { panic!("{answer:?}") };
        assert_eq!((stream_id, at), (stream(1), Version(current)));
    }
    let answer = world.store.append(demanding(3, 2, 7, 1)).await;
    assert!(matches!(answer, Err(AppendError::Conflict { current: Version(0), .. })), "{answer:?}");
    let done = appended(world.store.append(demanding(4, 2, 1, 1).demand(stream(7), Version(0))).await);
    assert_eq!(done.versions, [(stream(2), Version(1))], "a demand has no version after the append");
    assert_sound(&world.log().await);
}

#[tokio::test]
async fn unit_names_a_stream_once() {
    let world = World::new().await;
    let twice = demanding(1, 1, 2, 0).demand(stream(2), Version(0));
    assert_eq!(twice.demands.len(), 1, "the same demand twice is one");
    let malformed = [
        demanding(2, 1, 2, 0).demand(stream(2), Version(1)),
        demanding(3, 1, 1, 0),
        unit(4, stream(1), Expected::Any, vec![event("{}")]).append(append(stream(2), exact(0), vec![])),
    ];
    for unit in malformed {
        let answer = world.store.append(unit).await;
        assert!(matches!(answer, Err(AppendError::Malformed(_))), "{answer:?}");
    }
    appended(world.store.append(twice).await);
}

/// Puts units into one batch: the lock is held until all of them wait.
async fn at_once(world: &World, units: Vec<Unit>) -> Vec<Result<eventstore::Outcome, AppendError>> {
    let mut lock = world.pool.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(eventstore_lock())").execute(&mut *lock).await.unwrap();
    // the first one is sent and waits for the lock, the others travel together after it
    let first = tokio::spawn({
        let store = world.store.clone();
        async move { store.append(unit(99, stream(99), exact(0), vec![event("{}")])).await }
    });
    let waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waits).fetch_one(&world.pool).await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let answers = futures_util::future::join_all(units.into_iter().map(|unit| world.store.append(unit)));
    let (answers, lock) = tokio::join!(answers, async {
        tokio::task::yield_now().await;
        lock.commit().await
    });
    lock.unwrap();
    appended(first.await.unwrap());
    answers
}

async fn batches(world: &World) -> usize {
    let times: Vec<chrono::DateTime<chrono::Utc>> = world.log().await.iter().map(|e| e.recorded_at).collect();
    times.into_iter().collect::<std::collections::BTreeSet<_>>().len()
}

#[tokio::test]
async fn many_units_demand_one_stream_in_one_batch() {
    let world = World::with(Options::default().patience(Duration::from_mins(1))).await;
    appended(world.store.append(unit(1, stream(0), exact(0), vec![event("{}")])).await);
    let mut units: Vec<Unit> = (1..=20).map(|n| demanding(10 + n, n, 0, 1)).collect();
    // and one that appends to it, after them
    units.push(unit(40, stream(0), exact(1), vec![event("{}")]));
    for answer in at_once(&world, units).await {
        appended(answer);
    }
    assert_eq!(batches(&world).await, 3, "the demands and the append shared a batch");
    assert_sound(&world.log().await);
}

#[tokio::test]
async fn demand_after_an_append_sees_it() {
    let world = World::with(Options::default().patience(Duration::from_mins(1))).await;
    let units = vec![
        unit(1, stream(1), exact(0), vec![event("{}")]),
        demanding(2, 2, 1, 0),
        demanding(3, 3, 1, 1),
        // waits for those that demand its stream
        unit(4, stream(1), exact(1), vec![event("{}")]),
    ];
    let answers = at_once(&world, units).await;
    assert!(answers[0].is_ok(), "{answers:?}");
    assert!(matches!(answers[1], Err(AppendError::Conflict { current: Version(1), .. })), "{answers:?}");
    assert!(answers[2].is_ok() && answers[3].is_ok(), "{answers:?}");
    let order: Vec<_> = world.log().await.iter().map(|e| e.stream_id).collect();
    assert_eq!(order, [stream(99), stream(1), stream(3), stream(1)]);
}

/// Each of two units appends to what the other one demands: they can't both be right.
#[tokio::test]
async fn write_skew_is_refused() {
    let world = World::with(Options::default().patience(Duration::from_mins(1))).await;
    let answers = at_once(&world, vec![demanding(1, 1, 2, 0), demanding(2, 2, 1, 0)]).await;
    assert!(answers[0].is_ok(), "{answers:?}");
    assert!(matches!(answers[1], Err(AppendError::Conflict { current: Version(1), .. })), "{answers:?}");
}
