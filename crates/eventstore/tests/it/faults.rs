//! The database goes away under load: nothing acknowledged is lost, nothing is doubled, and every
//! answer is the true one.

use std::collections::HashSet;
use std::time::Duration;

use devstack::Durability;
use eventstore::{AppendError, EventStore, Expected, Options};
use sqlx::PgPool;
use uuid::Uuid;

use crate::world::{World, assert_sound, event, exact, migrated, stream, unit};

/// Appends until told to stop; gives back what was acknowledged and what is unknown.
async fn load(store: EventStore, writer: u128, mut stop: tokio::sync::watch::Receiver<bool>) -> (Vec<Uuid>, Vec<Uuid>) {
    let (mut acknowledged, mut unknown) = (Vec::new(), Vec::new());
    for n in 0.. {
        if *stop.borrow_and_update() {
            break;
        }
        let command = writer << 64 | n;
        match store.append(unit(command, stream(command), exact(0), vec![event("{}")])).await {
            Ok(_) => acknowledged.push(Uuid::from_u128(command)),
            Err(AppendError::OutcomeUnknown(_)) => unknown.push(Uuid::from_u128(command)),
            // refused: must not be in the log
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
    (acknowledged, unknown)
}

fn check(log: &[eventstore::RecordedEvent], answers: Vec<(Vec<Uuid>, Vec<Uuid>)>) {
    assert_sound(log);
    let recorded = log.iter().map(|e| e.metadata().unwrap().command_id.0).collect::<Vec<_>>();
    let distinct = recorded.iter().copied().collect::<HashSet<_>>();
    assert_eq!(recorded.len(), distinct.len(), "an event is there twice");
    let (acknowledged, unknown): (Vec<_>, Vec<_>) = answers.into_iter().unzip();
    let acknowledged = acknowledged.concat().into_iter().collect::<HashSet<_>>();
    let unknown = unknown.concat().into_iter().collect::<HashSet<_>>();
    assert!(acknowledged.is_subset(&distinct), "an acknowledged event is lost");
    let unasked = distinct.iter().filter(|id| !acknowledged.contains(id) && !unknown.contains(id)).count();
    assert_eq!(unasked, 0, "a refused command is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_connections_leave_no_unknown_outcome() {
    let world = World::new().await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..32 {
        tasks.spawn(load(world.store.clone(), writer + 1, stopped.clone()));
    }
    let mut ended = 0;
    while ended < 20 {
        let sql = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                    where datname = current_database() and query like '%eventstore_append%' and pid <> pg_backend_pid()";
        let count: i64 = sqlx::query_scalar(sql).fetch_one(&world.pool).await.unwrap();
        ended += count;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    stop.send(true).unwrap();
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(|(_, unknown)| unknown.is_empty()), "the server was there: every outcome can be known");
    check(&world.log().await, answers);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_server_loses_and_doubles_nothing() {
    let (folder, mut postgres) = devstack::testing::private_postgres(Durability::Durable).await;
    postgres.ensure_database("log").await.unwrap();
    let url = postgres.url("log");
    migrated(url.clone()).await.unwrap();
    let pool = PgPool::connect(&url).await.unwrap();
    let store = EventStore::open(pool.clone(), Options::default());
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..32 {
        tasks.spawn(load(store.clone(), writer + 1, stopped.clone()));
    }
    for _ in 0..2 {
        let before = store.head().await.unwrap();
        until(async || store.head().await.is_ok_and(|head| head.0 > before.0 + 500)).await;
        kill(postgres.pid());
        postgres.exited().await;
        drop(postgres);
        postgres = devstack::Postgres::start(folder.path(), Durability::Durable).await.unwrap();
        until(async || store.head().await.is_ok()).await;
    }
    let before = store.head().await.unwrap();
    until(async || store.head().await.is_ok_and(|head| head.0 > before.0 + 100)).await;
    stop.send(true).unwrap();
    let answers = tasks.join_all().await;
    let log = futures_util::TryStreamExt::try_collect::<Vec<_>>(store.read_log(eventstore::Position(0))).await.unwrap();
    check(&log, answers);
    postgres.stop().await.unwrap();
}

fn kill(pid: u32) {
    let killed = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert!(killed.success());
}

async fn until(mut condition: impl AsyncFnMut() -> bool) {
    tokio::time::timeout(Duration::from_mins(1), async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("in time");
}

#[tokio::test]
async fn long_lock_refuses_the_append() {
    let world = World::with(Options::default().statement_timeout(Duration::from_millis(300))).await;
    let mut lock = world.pool.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(eventstore_lock())").execute(&mut *lock).await.unwrap();
    let answer = world.store.append(unit(1, stream(1), exact(0), vec![event("{}")])).await;
    assert!(matches!(answer, Err(AppendError::Store(eventstore::StoreError::Unavailable(_)))), "{answer:?}");
    lock.rollback().await.unwrap();
    // a statement may take 300 ms here, which a busy machine doesn't always keep to
    until(async || {
        let answer = world.store.append(unit(1, stream(1), Expected::Any, vec![event("{}")])).await;
        answer.is_ok()
    })
    .await;
    assert_eq!(world.log().await.len(), 1, "what was refused is not there");
}

#[tokio::test(flavor = "multi_thread")]
async fn locked_table_sheds_appends_until_it_is_free() {
    let options = Options::default().patience(Duration::from_millis(200));
    let world = World::with(options).await;
    let append = |command: u128| {
        let store = world.store.clone();
        async move { store.append(unit(command, stream(command), exact(0), vec![event("{}")])).await }
    };
    append(1).await.unwrap();
    let mut locked = world.pool.begin().await.unwrap();
    sqlx::query("lock table events").execute(&mut *locked).await.unwrap();
    // the first is sent and hangs; those behind it are told
    let hanging = tokio::spawn(append(2));
    let waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waits).fetch_one(&world.pool).await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for command in 10..200 {
        let answer = append(command).await;
        assert!(matches!(answer, Err(AppendError::Overloaded)), "{answer:?}");
    }
    locked.rollback().await.unwrap();
    // it may have hung for longer than a statement may take
    let hung = usize::from(hanging.await.unwrap().is_ok());
    while let Err(refused) = append(3).await {
        assert!(matches!(refused, AppendError::Overloaded), "{refused:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(world.log().await.len(), 2 + hung, "what was refused is not there");
}
