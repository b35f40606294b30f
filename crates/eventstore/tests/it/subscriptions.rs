//! Named subscriptions: exactly once into the database, at least once elsewhere.

use std::time::Duration;

use eventstore::{
    Append, Batch, EventStore, NewEvent, Options, Position, StartFrom, StreamType, Subscription, SubscriptionError,
    SubscriptionOptions,
};

use crate::world::{World, appended, at, event, exact, stream, unit};

const OTHER: StreamType = StreamType::from_static("other");

async fn append_things(world: &World, streams: std::ops::Range<u128>) {
    for n in streams {
        appended(world.store.append(unit(n, stream(n), exact(0), vec![event("{}")])).await);
    }
}

async fn append_other(world: &World, n: u128) {
    let events = vec![NewEvent::new("other.happened", 1, "{}", at(0))];
    let mut unit = unit(n, stream(n), exact(0), vec![]);
    unit.appends = vec![Append::new(OTHER, stream(n), exact(0), events)];
    appended(world.store.append(unit).await);
}

async fn next(subscription: &mut Subscription) -> Batch {
    tokio::time::timeout(Duration::from_secs(10), subscription.next()).await.expect("in time").unwrap()
}

fn positions(batch: &Batch) -> Vec<i64> {
    batch.events.iter().map(|event| event.position.0).collect()
}

async fn subscribe(world: &World, options: SubscriptionOptions) -> Subscription {
    world.store.subscribe("me", options).await.unwrap()
}

async fn checkpoint(world: &World) -> (Position, u64) {
    let all = world.store.checkpoints().await.unwrap();
    let mine = all.into_iter().find(|checkpoint| checkpoint.name == "me").expect("there is one");
    (mine.position, mine.lag)
}

#[tokio::test]
async fn effect_and_checkpoint_commit_together() {
    let world = World::new().await;
    sqlx::raw_sql("create table seen (position bigint primary key)").execute(&world.pool).await.unwrap();
    append_things(&world, 0..10).await;
    let mut subscription = subscribe(&world, SubscriptionOptions::new().max_events(4)).await;
    let mut dropped_once = false;
    while subscription.position() < Position(10) {
        let batch = next(&mut subscription).await;
        assert!(batch.events.len() <= 4);
        let mut transaction = subscription.begin().await.unwrap();
        for event in &batch.events {
            let insert = sqlx::query("insert into seen values ($1)").bind(event.position.0);
            insert.execute(transaction.connection()).await.unwrap();
        }
        if batch.through >= Position(8) && !dropped_once {
            // rolled back: the batch comes again
            dropped_once = true;
            continue;
        }
        transaction.commit(batch.through).await.unwrap();
    }
    let seen: Vec<i64> =
        sqlx::query_scalar("select position from seen order by 1").fetch_all(&world.pool).await.unwrap();
    assert_eq!(seen, (1..=10).collect::<Vec<_>>());
    assert_eq!(checkpoint(&world).await, (Position(10), 0));
}

#[tokio::test]
async fn acknowledged_events_do_not_come_again() {
    let world = World::new().await;
    append_things(&world, 0..6).await;
    let mut first = subscribe(&world, SubscriptionOptions::new()).await;
    let batch = next(&mut first).await;
    assert_eq!(positions(&batch), [1, 2, 3, 4, 5, 6]);
    // a part of it
    first.acknowledge(Position(4)).await.unwrap();
    assert_eq!(positions(&next(&mut first).await), [5, 6]);
    assert_eq!(checkpoint(&world).await, (Position(4), 2));
    assert_eq!(first.lag().await.unwrap(), 2);
    drop(first);
    let mut second = subscribe(&world, SubscriptionOptions::new()).await;
    assert_eq!(positions(&next(&mut second).await), [5, 6]);
}

#[tokio::test]
async fn selects_types_and_passes_over_the_others() {
    let options = Options::default().lead_silence(Duration::from_millis(600));
    let world = World::with(options).await;
    append_things(&world, 0..20).await;
    append_other(&world, 20).await;
    append_things(&world, 21..30).await;
    let mut subscription = subscribe(&world, SubscriptionOptions::new().of_types([OTHER])).await;
    let batch = next(&mut subscription).await;
    assert_eq!(positions(&batch), [21]);
    subscription.acknowledge(batch.through).await.unwrap();
    // nothing to deliver: the checkpoint follows the log all the same
    append_things(&world, 30..40).await;
    let waiting = tokio::spawn(async move { subscription.next().await });
    tokio::time::timeout(Duration::from_secs(10), async {
        while checkpoint(&world).await != (Position(40), 0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("in time");
    append_other(&world, 40).await;
    assert_eq!(positions(&waiting.await.unwrap().unwrap()), [41]);
}

#[tokio::test]
async fn starts_where_it_was_told_and_only_at_first() {
    let world = World::new().await;
    append_things(&world, 0..5).await;
    drop(subscribe(&world, SubscriptionOptions::new().start_from(StartFrom::End)).await);
    // appended before it has handled anything
    append_things(&world, 5..6).await;
    let mut again = subscribe(&world, SubscriptionOptions::new().start_from(StartFrom::End)).await;
    assert_eq!(positions(&next(&mut again).await), [6]);
    let after = SubscriptionOptions::new().start_from(StartFrom::After(Position(3)));
    let mut other = world.store.subscribe("other", after).await.unwrap();
    assert_eq!(positions(&next(&mut other).await), [4, 5, 6]);
}

#[tokio::test]
async fn batches_are_bounded_by_bytes() {
    let world = World::new().await;
    let large = format!("\"{}\"", "x".repeat(10_000));
    for n in 0..9 {
        appended(world.store.append(unit(n, stream(n), exact(0), vec![event(&large)])).await);
    }
    let mut subscription = subscribe(&world, SubscriptionOptions::new().max_bytes(35_000)).await;
    for expected in [[1, 2, 3], [4, 5, 6], [7, 8, 9]] {
        let batch = next(&mut subscription).await;
        assert_eq!(positions(&batch), expected);
        subscription.acknowledge(batch.through).await.unwrap();
    }
    append_things(&world, 20..21).await;
    let one = next(&mut subscription).await;
    assert_eq!(one.events.len(), 1);
}

#[tokio::test]
async fn one_process_leads_and_a_lost_leadership_is_an_error() {
    let world = World::new().await;
    append_things(&world, 0..3).await;
    let mut first = subscribe(&world, SubscriptionOptions::new()).await;
    let batch = next(&mut first).await;
    let elsewhere = EventStore::open(world.pool.clone(), Options::default());
    let second = tokio::spawn(async move { elsewhere.subscribe("me", SubscriptionOptions::new()).await });
    let pid: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(first.connection()).await.unwrap();
    sqlx::query("select pg_terminate_backend($1)").bind(pid).execute(&world.pool).await.unwrap();
    let lost = first.acknowledge(batch.through).await;
    assert!(matches!(lost, Err(SubscriptionError::LeadershipLost { source: Some(_), .. })), "{lost:?}");
    let mut second = tokio::time::timeout(Duration::from_secs(10), second).await.unwrap().unwrap().unwrap();
    assert_eq!(positions(&next(&mut second).await), [1, 2, 3], "nothing was acknowledged");
}

#[tokio::test]
async fn moved_checkpoint_is_a_lost_leadership() {
    let world = World::new().await;
    append_things(&world, 0..3).await;
    let mut subscription = subscribe(&world, SubscriptionOptions::new()).await;
    let batch = next(&mut subscription).await;
    sqlx::raw_sql("update checkpoints set position = 2").execute(&world.pool).await.unwrap();
    let lost = subscription.acknowledge(batch.through).await;
    assert!(matches!(lost, Err(SubscriptionError::LeadershipLost { source: None, .. })), "{lost:?}");
    assert_eq!(checkpoint(&world).await.0, Position(2));
}

#[tokio::test]
async fn leadership_notices_while_waiting_that_it_is_lost() {
    let options = Options::default().lead_silence(Duration::from_millis(300));
    let world = World::with(options).await;
    let mut subscription = subscribe(&world, SubscriptionOptions::new()).await;
    let pid: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(subscription.connection()).await.unwrap();
    // longer than the silence that ends an idle session: waiting keeps it
    let waited = tokio::time::timeout(Duration::from_secs(1), subscription.next()).await;
    assert!(waited.is_err(), "{waited:?}");
    sqlx::query("select pg_terminate_backend($1)").bind(pid).execute(&world.pool).await.unwrap();
    let lost = tokio::time::timeout(Duration::from_secs(10), subscription.next()).await.expect("in time");
    assert!(matches!(lost, Err(SubscriptionError::LeadershipLost { .. })), "{lost:?}");
}

#[tokio::test]
async fn closed_store_ends_a_subscription() {
    let world = World::new().await;
    let mut subscription = subscribe(&world, SubscriptionOptions::new()).await;
    world.store.close().await;
    let end = tokio::time::timeout(Duration::from_secs(10), subscription.next()).await.expect("in time");
    assert!(matches!(end, Err(SubscriptionError::Closed)), "{end:?}");
    let again = world.store.subscribe("me", SubscriptionOptions::new()).await;
    assert!(matches!(again, Err(SubscriptionError::Closed)), "{again:?}");
}

#[tokio::test]
async fn leader_keeps_several_checkpoints_one_after_the_other() {
    let world = World::new().await;
    append_things(&world, 0..2).await;
    let lead = world.store.try_lead("model").await.unwrap().expect("nobody leads");
    let mut first = world.store.subscribe_as(lead, "model@1", SubscriptionOptions::new()).await.unwrap();
    let batch = next(&mut first).await;
    first.acknowledge(batch.through).await.unwrap();
    let lead = first.into_lead();
    assert!(world.store.try_lead("model").await.unwrap().is_none());
    let mut second = world.store.subscribe_as(lead, "model@2", SubscriptionOptions::new()).await.unwrap();
    assert_eq!(positions(&next(&mut second).await), [1, 2]);
}
