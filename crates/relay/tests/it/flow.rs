//! With nothing in its way, the relay brings everything once, in order, as CloudEvents.

use std::time::Duration;

use async_nats::jetstream::consumer::pull::OrderedConfig;
use futures_util::StreamExt;
use relay::State;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn subscriber_sees_every_event_once_in_order() {
    let world = World::new().await;
    world.log.append(3_000).await;
    let relay = world.relay();
    relay.until_live_at(3_000).await;

    let subscriber = tokio::spawn({
        let stream = world.broker.stream().await;
        async move {
            let config = OrderedConfig { ..OrderedConfig::default() };
            let mut messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
            for position in 1..=5_000_u64 {
                let next = tokio::time::timeout(Duration::from_secs(30), messages.next()).await.expect("in time");
                let message = next.unwrap().unwrap();
                assert_eq!(message.info().unwrap().stream_sequence, position);
                let event: Value = serde_json::from_slice(&message.payload).unwrap();
                assert_eq!((&event["id"], &event["position"]), (&json!(position.to_string()), &json!(position)));
            }
        }
    });
    world.log.append(2_000).await;
    subscriber.await.unwrap();
    relay.until_live_at(5_000).await;
    world.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn message_carries_the_event() {
    let world = World::new().await;
    let relay = world.relay();
    relay.until_live_at(0).await;
    world.log.append(1).await;
    relay.until_live_at(1).await;
    let message = world.broker.stream().await.get_raw_message(1).await.unwrap();
    assert_eq!(message.subject.as_str(), "docket.ticket.00000000-0000-0000-0000-000000000001.public_reply_added");
    let header = |name: &str| message.headers.get(name).map(|value| value.as_str().to_owned());
    assert_eq!(header("content-type").as_deref(), Some(relay::CONTENT_TYPE));
    assert_eq!(header("traceparent").as_deref(), Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    assert!(message.payload.ends_with(br#""data":{"body" : "reply 0"}}"#), "the payload's own bytes");
    let event: Value = serde_json::from_slice(&message.payload).unwrap();
    for (name, value) in [
        ("specversion", "1.0"),
        ("type", "ticket.public_reply_added"),
        ("source", crate::world::SOURCE),
        ("subject", "00000000-0000-0000-0000-000000000001"),
        ("time", "1970-01-01T00:00:00Z"),
        ("actorkind", "agent"),
        ("actorid", "ada"),
        ("correlationid", "request-1"),
    ] {
        assert_eq!(event[name], value, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn late_broker_gets_everything() {
    let mut world = World::new().await;
    world.broker.stop().await;
    let relay = world.relay();
    world.log.append(1_500).await;
    assert_eq!(relay.status.borrow().state, State::Connecting);
    world.broker.start().await;
    relay.until_live_at(1_500).await;
    world.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_events_pass_the_window() {
    let world = World::new().await;
    // as wide as the log takes them: far more bytes than may be under way
    sqlx::query(
        "insert into events select n, lpad('1', 32, '0')::uuid, 'ticket', n, 'ticket.internal_note_added', 1,
           json_build_object('body', repeat('x', 500000)), '{}', now(), now() from generate_series(1, 60) n",
    )
    .execute(&world.log.pool)
    .await
    .unwrap();
    let relay = world.relay();
    relay.until_live_at(60).await;
    world.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn relay_stops_on_request_and_on_close() {
    let world = World::new().await;
    world.log.append(10).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let relay = relay::Relay::new(world.log.store.clone(), world.broker.config());
    let running = tokio::spawn(relay.run(async move {
        stopped.await.ok();
    }));
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(10), running).await.expect("in time").unwrap();

    let relay = relay::Relay::new(world.log.store.clone(), world.broker.config());
    let mut status = relay.status();
    let running = tokio::spawn(relay.run(std::future::pending()));
    status.wait_for(|status| status.state == State::Live).await.unwrap();
    world.log.store.close().await;
    tokio::time::timeout(Duration::from_secs(10), running).await.expect("in time").unwrap();
}
