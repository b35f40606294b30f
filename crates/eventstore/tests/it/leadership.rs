//! One leads, the others stand by.

use std::time::Duration;

use eventstore::{Checkpoint, EventStore, Options, Position, SubscriptionError};
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::world::World;

#[tokio::test]
async fn lead_passes_on_when_dropped() {
    let world = World::new().await;
    let first = world.store.try_lead("me").await.unwrap().expect("nobody leads");
    assert!(world.store.try_lead("me").await.unwrap().is_none());
    assert!(world.store.try_lead("you").await.unwrap().is_some());
    drop(first);
    tokio::time::timeout(Duration::from_secs(10), async {
        while world.store.try_lead("me").await.unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the lead is lost with its connection");
}

#[tokio::test]
async fn silent_leader_loses_the_lead() {
    // as a process that is stopped (SIGSTOP, a frozen machine): its connection stands, and nothing comes over it
    let options = Options::default().lead_silence(Duration::from_millis(200));
    let world = World::with(options).await;
    let mut zombie = world.store.try_lead("me").await.unwrap().expect("nobody leads");
    let mut next = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            if let Some(lead) = world.store.try_lead("me").await.unwrap() {
                break lead;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the lead is lost with the silence");
    assert!(Checkpoint::advance(next.connection(), "me", Position(0), Position(1)).await.unwrap());
    let late = Checkpoint::advance(zombie.connection(), "me", Position(1), Position(2)).await;
    assert!(late.is_err(), "and the zombie can't write any more: {late:?}");
}

#[tokio::test]
async fn many_standbys_share_one_connection() {
    let world = World::new().await;
    let other = another_process(&world).await;
    let names: Vec<_> = (0..20).map(|n| format!("job {n}")).collect();
    let mut leads = Vec::new();
    for name in &names {
        leads.push(other.lead(name).await.unwrap());
    }
    let before = connections(&world).await;
    let mut waiting = JoinSet::new();
    for name in names {
        let store = world.store.clone();
        waiting.spawn(async move { store.lead(&name).await.unwrap() });
    }
    tokio::time::timeout(Duration::from_secs(10), async {
        while connections(&world).await != before + 1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("one connection waits for all");
    leads.drain(..10);
    let mut mine = Vec::new();
    while mine.len() < 10 {
        mine.push(tokio::time::timeout(Duration::from_secs(10), waiting.join_next()).await.expect("in time").unwrap());
    }
    assert!(
        other.try_lead("job 0").await.unwrap().is_none() && world.store.try_lead("job 19").await.unwrap().is_none()
    );
}

#[tokio::test]
async fn standby_survives_its_connection_and_ends_with_the_store() {
    let world = World::new().await;
    let other = another_process(&world).await;
    let lead = other.lead("me").await.unwrap();
    let store = world.store.clone();
    let waiting = tokio::spawn(async move { store.lead("me").await.map(drop) });
    let ended = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            let ended: i64 = sqlx::query_scalar(
                "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
                    and query like 'select name from unnest%' and pg_terminate_backend(pid)",
            )
            .fetch_one(&world.pool)
            .await
            .unwrap();
            if ended > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    ended.await.expect("it stands by");
    drop(lead);
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("in time").unwrap().unwrap();
    let _lead = other.lead("you").await.unwrap();
    let store = world.store.clone();
    let waiting = tokio::spawn(async move { store.lead("you").await.map(drop) });
    world.store.close().await;
    let closed = tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("in time").unwrap();
    assert!(matches!(closed, Err(SubscriptionError::Closed)));
}

async fn another_process(world: &World) -> EventStore {
    EventStore::open(PgPool::connect(world.database.url()).await.unwrap(), Options::default())
}

async fn connections(world: &World) -> i64 {
    sqlx::query_scalar("select count(*) from pg_stat_activity where datname = current_database()")
        .fetch_one(&world.pool)
        .await
        .unwrap()
}
