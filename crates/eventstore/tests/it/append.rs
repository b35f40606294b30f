use eventstore::{AppendError, Expected, MAX_EVENT_BYTES, NewEvent, Options, Version};

use crate::world::{World, append, appended, assert_sound, at, event, exact, stream, unit};

#[tokio::test]
async fn unit_is_recorded_as_sent() {
    let world = World::new().await;
    let payload = r#"{ "b":1,  "a":[1.0, "é \u0000"], "b":2 }"#;
    let done = appended(world.store.append(unit(1, stream(1), exact(0), vec![event("{}"), event(payload)])).await);
    assert_eq!((done.first.unwrap().0, done.last.unwrap().0), (1, 2));
    assert_eq!(done.versions, [(stream(1), Version(2))]);

    let events = world.stream(stream(1)).await;
    assert_eq!(events[1].payload, payload, "byte for byte");
    assert_eq!(events[1].recorded_at, done.recorded_at);
    assert_eq!(events[1].metadata().unwrap().command_id.0.as_u128(), 1);
    assert_sound(&events);
}

#[tokio::test]
async fn stale_version_is_a_conflict() {
    let world = World::new().await;
    appended(world.store.append(unit(1, stream(1), exact(0), vec![event("1")])).await);
    for wrong in [0, 2] {
        let answer = world.store.append(unit(2, stream(1), exact(wrong), vec![event("2")])).await;
        let Err(AppendError::Conflict { stream_id, current }) = answer else { panic!("{answer:?}") };
        assert_eq!((stream_id, current), (stream(1), Version(1)));
    }
    appended(world.store.append(unit(3, stream(1), Expected::Any, vec![event("3")])).await);
    assert_eq!(world.log().await.len(), 2);
}

#[tokio::test]
async fn unit_over_several_streams_is_atomic() {
    let world = World::new().await;
    let over_both = |command, second: Expected| {
        unit(command, stream(1), Expected::Any, vec![event("1")]).append(append(
            stream(2),
            second,
            vec![event("2"), event("3")],
        ))
    };
    let done = appended(world.store.append(over_both(1, exact(0))).await);
    assert_eq!(done.versions, [(stream(1), Version(1)), (stream(2), Version(2))]);

    let answer = world.store.append(over_both(2, exact(0))).await;
    assert!(matches!(answer, Err(AppendError::Conflict { current: Version(2), .. })), "{answer:?}");
    assert_eq!(world.stream(stream(1)).await.len(), 1, "nothing of a refused unit is left");
    assert_sound(&world.log().await);
}

#[tokio::test]
async fn concurrent_writers_leave_no_gap() {
    let world = World::new().await;
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..64_u128 {
        let store = world.store.clone();
        tasks.spawn(async move {
            let mut acknowledged = 0_usize;
            let mut version = 0;
            for n in 0..50 {
                match store.append(unit(writer << 32 | n, stream(writer % 8), exact(version), vec![event("{}")])).await
                {
                    Ok(_) => {
                        acknowledged += 1;
                        version += 1;
                    }
                    Err(AppendError::Conflict { current, .. }) => version = current.0,
                    Err(error) => panic!("{error}"),
                }
            }
            acknowledged
        });
    }
    let acknowledged: usize = tasks.join_all().await.into_iter().sum();
    let log = world.log().await;
    assert_eq!(log.len(), acknowledged);
    assert!(acknowledged >= 8 * 50, "each stream takes at least one writer a round");
    assert_sound(&log);
}

#[tokio::test]
async fn two_stores_share_one_log() {
    let world = World::new().await;
    let other = eventstore::EventStore::open(world.pool.clone(), Options::default());
    let both = [world.store.clone(), other];
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..400_u128 {
        let store = both[usize::try_from(n % 2).unwrap()].clone();
        tasks.spawn(
            async move { appended(store.append(unit(n, stream(n % 16), Expected::Any, vec![event("{}")])).await) },
        );
    }
    tasks.join_all().await;
    let log = world.log().await;
    assert_eq!(log.len(), 400);
    assert_sound(&log);
}

/// What a store remembers of its streams holds until somebody else appends.
#[tokio::test]
async fn head_cache_notices_foreign_appends() {
    let world = World::new().await;
    let other = eventstore::EventStore::open(world.pool.clone(), Options::default());
    appended(world.store.append(unit(1, stream(1), exact(0), vec![event("{}")])).await);
    appended(other.append(unit(2, stream(1), exact(1), vec![event("{}")])).await);
    let stale = world.store.append(unit(3, stream(1), exact(1), vec![event("{}")])).await;
    assert!(matches!(stale, Err(AppendError::Conflict { current: Version(2), .. })), "{stale:?}");
    let third = appended(world.store.append(unit(4, stream(1), Expected::Any, vec![event("{}")])).await);
    assert_eq!(third.versions, [(stream(1), Version(3))]);
    // nor where the store appends elsewhere first, and learns where the log ends
    appended(other.append(unit(5, stream(1), exact(3), vec![event("{}")])).await);
    appended(world.store.append(unit(6, stream(2), exact(0), vec![event("{}")])).await);
    let fifth = appended(world.store.append(unit(7, stream(1), Expected::Any, vec![event("{}")])).await);
    assert_eq!(fifth.versions, [(stream(1), Version(5))]);
    assert_sound(&world.log().await);
}

/// A pooler may put another server behind a living connection, one that had lost the last events: the log ends at the
/// same position, and not with the same event.
#[tokio::test]
async fn head_cache_notices_a_restored_log() {
    let world = World::new().await;
    for version in 0..2 {
        appended(world.store.append(unit(1, stream(1), exact(version), vec![event("{}")])).await);
    }
    let set_back = "alter table events disable trigger all; delete from events where position = 2;
        insert into events select 2, lpad('2', 32, '0')::uuid, stream_type, 1, type, schema_version, payload, metadata, occurred_at,
               clock_timestamp() from events";
    sqlx::raw_sql(set_back).execute(&world.pool).await.unwrap();
    let stale = world.store.append(unit(2, stream(1), exact(2), vec![event("{}")])).await;
    assert!(matches!(stale, Err(AppendError::Conflict { current: Version(1), .. })), "{stale:?}");
    assert_sound(&world.log().await);
}

/// Seen by what it would not do if it looked: the row says something else meanwhile.
#[tokio::test]
async fn head_cache_saves_the_look_up() {
    let world = World::new().await;
    let other = eventstore::EventStore::open(world.pool.clone(), Options::default());
    appended(world.store.append(unit(1, stream(1), exact(0), vec![event("{}")])).await);
    let later =
        "alter table events disable trigger all; update events set occurred_at = occurred_at + interval '1 minute'";
    sqlx::raw_sql(later).execute(&world.pool).await.unwrap();
    let late = other.append(unit(2, stream(1), exact(1), vec![event("{}")])).await;
    assert!(matches!(late, Err(AppendError::TimeRunsBackwards)), "{late:?}");
    appended(world.store.append(unit(3, stream(1), exact(1), vec![event("{}")])).await);
    // beside one that is not known, too
    let both = unit(4, stream(2), exact(0), vec![event("{}")]).append(append(stream(1), exact(2), vec![event("{}")]));
    sqlx::raw_sql(later).execute(&world.pool).await.unwrap();
    assert_eq!(appended(world.store.append(both).await).versions, [(stream(2), Version(1)), (stream(1), Version(3))]);
}

/// An event was given to another stream by hand, under a living connection, and the log still ends where it ended.
#[tokio::test]
async fn head_cache_recovers_from_a_wrong_entry() {
    let world = World::new().await;
    for id in [1, 3, 2] {
        appended(world.store.append(unit(1, stream(id), exact(0), vec![event("{}")])).await);
    }
    let given = "alter table events disable trigger all;
        update events set stream_id = lpad('1', 32, '0')::uuid, version = 2 where position = 2";
    sqlx::raw_sql(given).execute(&world.pool).await.unwrap();
    let refused = world.store.append(unit(2, stream(1), exact(1), vec![event("{}")])).await;
    assert!(matches!(refused, Err(AppendError::Store(_))), "{refused:?}");
    let stale = world.store.append(unit(3, stream(1), exact(1), vec![event("{}")])).await;
    assert!(matches!(stale, Err(AppendError::Conflict { current: Version(2), .. })), "{stale:?}");
}

#[tokio::test]
async fn alias_is_unique() {
    let world = World::new().await;
    let named = |command, id, name: &str| {
        unit(command, stream(id), exact(0), vec![event("{}")]).take_alias("name", name, stream(id))
    };
    appended(world.store.append(named(1, 1, "one")).await);
    let answer = world.store.append(named(2, 2, "one")).await;
    let Err(AppendError::AliasTaken { holder, .. }) = answer else { panic!("{answer:?}") };
    assert_eq!(holder, stream(1));
    assert!(world.stream(stream(2)).await.is_empty());

    assert_eq!(world.store.resolve("name", "one").await.unwrap(), Some(stream(1)));
    assert_eq!(world.store.resolve("other", "one").await.unwrap(), None);

    // at once, too: exactly one gets it
    let answers = tokio::join!(
        world.store.append(named(3, 3, "three")),
        world.store.append(named(4, 4, "three")),
        world.store.append(named(5, 5, "three")),
    );
    let won = [answers.0.is_ok(), answers.1.is_ok(), answers.2.is_ok()];
    assert_eq!(won.into_iter().filter(|won| *won).count(), 1, "{won:?}");
}

#[tokio::test]
async fn time_runs_backwards_is_refused() {
    let world = World::new().await;
    let timed = |second| NewEvent { occurred_at: at(second), ..event("{}") };
    appended(world.store.append(unit(1, stream(1), Expected::Any, vec![timed(10)])).await);
    let answer = world.store.append(unit(2, stream(1), Expected::Any, vec![timed(9)])).await;
    assert!(matches!(answer, Err(AppendError::TimeRunsBackwards)), "{answer:?}");
    let answer = world.store.append(unit(3, stream(1), Expected::Any, vec![timed(12), timed(11)])).await;
    assert!(matches!(answer, Err(AppendError::Malformed(_))), "{answer:?}");
    appended(world.store.append(unit(4, stream(1), Expected::Any, vec![timed(10), timed(11)])).await);
}

#[tokio::test]
async fn invalid_unit_harms_no_neighbour() {
    let world = World::new().await;
    let large = format!("\"{}\"", "x".repeat(MAX_EVENT_BYTES));
    let answer = world.store.append(unit(1, stream(1), Expected::Any, vec![event(&large)])).await;
    assert!(matches!(answer, Err(AppendError::TooLarge { .. })), "{answer:?}");
    let answer = world.store.append(unit(1, stream(1), Expected::Any, vec![])).await;
    assert!(matches!(answer, Err(AppendError::Malformed(_))), "{answer:?}");

    // not JSON: the database says no to the statement, and still the neighbours get in
    let (bad, good, fine) = tokio::join!(
        world.store.append(unit(2, stream(2), Expected::Any, vec![event("{ not json")])),
        world.store.append(unit(3, stream(3), Expected::Any, vec![event("{}")])),
        world.store.append(unit(4, stream(4), Expected::Any, vec![event("{}")])),
    );
    assert!(matches!(bad, Err(AppendError::Store(eventstore::StoreError::Database(_)))), "{bad:?}");
    appended(good);
    appended(fine);
    assert_sound(&world.log().await);
}

#[tokio::test]
async fn full_queue_is_overloaded() {
    let world = World::with(Options::default().queue(4)).await;
    let mut lock = world.pool.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(eventstore_lock())").execute(&mut *lock).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..1_000 {
        let store = world.store.clone();
        tasks.spawn(async move { store.append(unit(n, stream(n), exact(0), vec![event("{}")])).await });
    }
    let mut overloaded = 0;
    while overloaded == 0 {
        let answer = tasks.join_next().await.unwrap().unwrap();
        overloaded += usize::from(matches!(answer, Err(AppendError::Overloaded)));
    }
    lock.commit().await.unwrap();
    let accepted = tasks.join_all().await.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(world.log().await.len(), accepted, "what was overloaded left nothing");
}

#[tokio::test]
async fn close_answers_the_queue() {
    let world = World::new().await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..200 {
        let store = world.store.clone();
        tasks.spawn(async move { store.append(unit(n, stream(n), exact(0), vec![event("{}")])).await });
    }
    tokio::task::yield_now().await;
    world.store.close().await;
    let answers = tasks.join_all().await;
    let accepted = answers.iter().filter(|a| a.is_ok()).count();
    assert!(answers.iter().all(|a| matches!(a, Ok(_) | Err(AppendError::Closed))), "{answers:?}");
    let pool = sqlx::PgPool::connect(world.database.url()).await.unwrap();
    let count: i64 = sqlx::query_scalar("select count(*) from events").fetch_one(&pool).await.unwrap();
    assert_eq!(usize::try_from(count).unwrap(), accepted);
}
