use std::time::Duration;

use eventstore::{Checkpoint, EventStore, Expected, Options, Position};
use futures_util::StreamExt;

use crate::world::{World, appended, event, stream, unit};

/// Follows until so many events have come; they must be the log's, in order, each once.
async fn take(store: &EventStore, after: i64, count: usize) {
    let mut chunks = std::pin::pin!(store.follow(Position(after)));
    let mut next = after + 1;
    let mut left = count;
    while left > 0 {
        let chunk = tokio::time::timeout(Duration::from_secs(20), chunks.next()).await.expect("in time").expect("open");
        assert!(!chunk.is_empty());
        for event in chunk {
            assert_eq!(event.position, Position(next), "in order, none missing, none twice");
            next += 1;
            left = left.saturating_sub(1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_see_a_growing_log() {
    let world = World::new().await;
    for n in 0..3 {
        let events = (0..1_000).map(|_| event("{}")).collect();
        appended(world.store.append(unit(n, stream(n), Expected::Any, events)).await);
    }
    let mut followers = tokio::task::JoinSet::new();
    for n in 0..50 {
        let store = world.store.clone();
        let after = i64::from(n) * 70;
        followers.spawn(async move { take(&store, after, usize::try_from(5_000 - after).unwrap()).await });
    }
    for n in 0..2_000 {
        appended(world.store.append(unit(100 + n, stream(n % 7), Expected::Any, vec![event("{}")])).await);
    }
    followers.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn follower_sees_appends_of_another_store() {
    let world = World::new().await;
    let other = EventStore::open(world.pool.clone(), Options::default());
    let follower = tokio::spawn({
        let store = world.store.clone();
        async move { take(&store, 0, 100).await }
    });
    for n in 0..100 {
        appended(other.append(unit(n, stream(n), Expected::Any, vec![event("{}")])).await);
    }
    follower.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn follower_survives_lost_connections() {
    let world = World::new().await;
    let follower = tokio::spawn({
        let store = world.store.clone();
        async move { take(&store, 0, 300).await }
    });
    for n in 0..300 {
        if n % 100 == 50 {
            let sql = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                        where datname = current_database() and pid <> pg_backend_pid()";
            sqlx::query(sql).execute(&world.pool).await.unwrap();
        }
        appended(world.store.append(unit(n, stream(n), Expected::Any, vec![event("{}")])).await);
    }
    follower.await.unwrap();
}

#[tokio::test]
async fn thousand_followers_share_one_reader() {
    let world = World::new().await;
    let mut followers = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let store = world.store.clone();
        followers.spawn(async move { take(&store, 0, 200).await });
    }
    let reads = async || -> i64 {
        sqlx::query_scalar("select idx_tup_fetch + seq_tup_read from pg_stat_user_tables where relname = 'events'")
            .fetch_one(&world.pool)
            .await
            .unwrap()
    };
    for n in 0..200 {
        appended(world.store.append(unit(n, stream(n), Expected::Any, vec![event("{}")])).await);
    }
    followers.join_all().await;
    // the server counts with a delay: wait for what one reader must have read
    tokio::time::timeout(Duration::from_secs(20), async {
        while reads().await < 200 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await
    .expect("in time");
    assert!(reads().await < 20_000, "a thousand readers of 200 events would be 200,000");
}

#[tokio::test]
async fn close_ends_followers() {
    let world = World::new().await;
    let mut chunks = Box::pin(world.store.follow(Position(0)));
    world.store.close().await;
    let end = tokio::time::timeout(Duration::from_secs(10), chunks.next()).await.expect("in time");
    assert!(end.is_none());
}

#[tokio::test]
async fn checkpoint_moves_only_from_its_position() {
    let world = World::new().await;
    let advance = async |from, to| Checkpoint::advance(&world.pool, "me", Position(from), Position(to)).await.unwrap();
    assert_eq!(Checkpoint::position(&world.pool, "me").await.unwrap(), Position(0));
    assert!(advance(0, 5).await);
    assert!(!advance(0, 5).await, "somebody else has moved it");
    assert!(advance(5, 9).await);
    assert_eq!(Checkpoint::position(&world.pool, "me").await.unwrap(), Position(9));
}

#[tokio::test(flavor = "multi_thread")]
async fn reconnecting_live_clients_see_all_large_events() {
    let world = World::new().await;
    let large = format!("\"{}\"", "x".repeat(100_000));
    let append = async |n: u128| {
        let payload = if n.is_multiple_of(3) { large.as_str() } else { "{}" };
        appended(world.store.append(unit(n, stream(n % 2), Expected::Any, vec![event(payload)])).await)
    };
    // more than the window holds, for whoever comes after it has been filled
    take(&world.store, 0, 0).await;
    for n in 0..600 {
        append(n).await;
    }
    take(&world.store, 590, 10).await;
    let mut followers = tokio::task::JoinSet::new();
    for n in 0..20_i64 {
        let store = world.store.clone();
        followers.spawn(async move {
            let after = n * 25;
            let log = store.follow_live(Position(after)).take(usize::try_from(620 - after).unwrap());
            let log = log.map(|event| event.position.0).collect::<Vec<_>>().await;
            assert_eq!(log, (after + 1..=620).collect::<Vec<_>>());
            let even = store.follow_stream(stream(0), Position(after)).await.unwrap();
            let wanted = (after + 1..=620).filter(|position| position % 2 == 1).collect::<Vec<_>>();
            let even: Vec<_> = even.take(wanted.len()).map(|event| event.unwrap().position.0).collect().await;
            assert_eq!(even, wanted);
        });
    }
    for n in 600..620 {
        append(n).await;
    }
    followers.join_all().await;
}
