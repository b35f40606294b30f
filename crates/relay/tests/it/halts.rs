//! What does not fit stops the relay: it says so, publishes nothing, and goes on by itself once it fits again.

use std::time::Duration;

use relay::{HaltReason, State};

use crate::world::{Log, Running, World};

async fn until_halted(relay: &Running, fault: HaltReason) -> String {
    let halted = |state: &State| matches!(state, State::Halted(halt) if halt.fault == fault);
    let status = relay.until(fault.as_str(), |status| halted(&status.state)).await;
    match status.state {
        State::Halted(halt) => halt.detail,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_stream_halts() {
    let world = World::new().await;
    world.log.append(100).await;
    let relay = world.relay();
    relay.until_live_at(100).await;
    drop(relay);

    let foreign = Log::new().await;
    foreign.append(300).await;
    let stranger = foreign.relay(&world.broker);
    let detail = until_halted(&stranger, HaltReason::Foreign).await;
    assert!(detail.contains("command") && detail.contains("own stream"), "{detail}");
    foreign.append(50).await;
    until_halted(&stranger, HaltReason::Foreign).await;
    // the own relay goes on as if nothing had been
    let relay = world.relay();
    world.log.append(20).await;
    relay.until_live_at(120).await;
    world.assert_whole().await;
    drop(relay);

    world.broker.delete_stream().await;
    stranger.until_live_at(350).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn first_message_of_another_log_is_foreign() {
    let world = World::new().await;
    world.log.append(3).await;
    let relay = world.relay();
    relay.until_live_at(3).await;
    drop(relay);
    world.log.tamper("update events set metadata = '{\"command_id\":\"x\"}' where position = 1").await;
    let relay = world.relay();
    let detail = until_halted(&relay, HaltReason::Foreign).await;
    assert!(detail.starts_with("message 1 is not"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_ahead_of_the_log_halts() {
    let world = World::new().await;
    world.log.append(100).await;
    let relay = world.relay();
    relay.until_live_at(100).await;
    drop(relay);
    world
        .log
        .tamper("create table lost as select * from events where position > 60; delete from events where position > 60")
        .await;
    let relay = world.relay();
    let detail = until_halted(&relay, HaltReason::Ahead).await;
    assert!(detail.contains("ends at 100") && detail.contains("log at 60"), "{detail}");
    world.log.tamper("insert into events select * from lost").await;
    relay.until_live_at(100).await;
    world.assert_whole().await;

    // what was appended instead of the lost events is another history
    drop(relay);
    world.log.tamper("delete from events where position > 60").await;
    world.log.append(70).await;
    let relay = world.relay();
    let detail = until_halted(&relay, HaltReason::Foreign).await;
    assert!(detail.starts_with("message 100 is not"), "{detail}");
    assert_eq!(world.broker.last().await, Some(100), "nothing is published meanwhile");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_message_halts() {
    let world = World::new().await;
    // one that lets messages be deleted, unlike the relay's own
    world.broker.make_stream(|_| {}).await;
    world.log.append(50).await;
    let relay = world.relay();
    relay.until_live_at(50).await;
    assert!(world.broker.stream().await.delete_message(20).await.unwrap());
    let detail = until_halted(&relay, HaltReason::Hole).await;
    assert!(detail.contains("holds 49 messages from 1 to 50"), "{detail}");
    world.log.append(5).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(world.broker.last().await, Some(50), "nothing is published meanwhile");
    world.broker.delete_stream().await;
    relay.until_live_at(55).await;
    world.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn purge_halts_and_own_stream_refuses_it() {
    let world = World::new().await;
    world.log.append(30).await;
    let relay = world.relay();
    relay.until_live_at(30).await;
    let own = world.broker.stream().await;
    assert!(own.delete_message(7).await.is_err(), "deny_delete");
    assert!(own.purge().await.is_err(), "deny_purge");
    world.broker.delete_stream().await;
    drop(relay);

    world.broker.make_stream(|_| {}).await;
    let relay = world.relay();
    relay.until_live_at(30).await;
    world.broker.stream().await.purge().sequence(11).await.unwrap();
    let detail = until_halted(&relay, HaltReason::Hole).await;
    assert!(detail.contains("from 11 to 30"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lossy_stream_is_refused() {
    let world = World::new().await;
    world.log.append(10).await;
    world.broker.make_stream(|config| config.max_age = Duration::from_hours(1)).await;
    let relay = world.relay();
    let detail = until_halted(&relay, HaltReason::StreamConfig).await;
    assert!(detail.contains("max_age"), "{detail}");
    assert_eq!(world.broker.last().await, Some(0));
    let mut config = world.broker.stream().await.cached_info().config.clone();
    config.max_age = Duration::ZERO;
    world.broker.jetstream().await.update_stream(config).await.unwrap();
    relay.until_live_at(10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_url_halts() {
    let world = World::new().await;
    let config = relay::Config { url: "nats://:::".into(), ..world.broker.config() };
    let relay = relay::Relay::new(world.log.store.clone(), config);
    let mut status = relay.status();
    let task = tokio::spawn(relay.run(std::future::pending()));
    let halted = |status: &relay::Status| matches!(&status.state, State::Halted(halt) if halt.fault == HaltReason::Url);
    tokio::time::timeout(Duration::from_secs(10), status.wait_for(halted)).await.expect("in time").unwrap();
    task.abort();
}
