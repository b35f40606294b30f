//! Events a second from the log to JetStream, beside plain pipelined publishing of the same messages (ready-made, each
//! acknowledged, no fence), in one run on one private, durable PostgreSQL and one private NATS (`just bench-relay`).
//!
//! Each figure is the median of interleaved rounds: machines are shared and noisy, so only the ratio within one run
//! says anything. The log is of tickets (`bench::Tickets`).

#![expect(clippy::cast_precision_loss, reason = "it makes figures")]
#![expect(clippy::disallowed_methods, reason = "a bench is an edge")]

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use async_nats::HeaderMap;
use async_nats::header::NATS_EXPECTED_LAST_SEQUENCE;
use async_nats::jetstream::{self, context::ContextBuilder, stream::Stream};
use bench::{Figures, Table, Threads, Tickets, number, setting};
use chrono::Utc;
use devstack::{Durability, Nats, Postgres};
use eventstore::{EventStore, Options, Position};
use futures_util::TryStreamExt;
use relay::{Config, Message, Relay};

/// How many may be under way in the plain publisher, as in the relay.
const WINDOW: usize = 1_024;

fn main() -> Result<()> {
    bench::run(Threads::All, measure)
}

async fn measure(folder: &Path) -> Result<()> {
    let rounds: usize = setting("BENCH_ROUNDS", 5)?;
    let tickets = Tickets::new(setting("BENCH_EVENTS", 300_000)?, Utc::now());
    let events = usize::try_from(tickets.events())?;
    let (postgres, nats) = tokio::try_join!(Postgres::start(folder, Durability::Durable), Nats::start(folder))?;
    let pool = bench::prepare(&postgres, "bench").await?;
    tickets.fill(&pool).await?;
    let store = EventStore::open(pool, Options::default());
    let config = Config::new(nats.url(), "urn:uuid:00000000-0000-0000-0000-000000000001", Utc::now);
    let messages: Vec<Message> =
        store.read_log(Position(0)).map_ok(|event| Message::of(&event, &config)).try_collect().await?;
    let bytes = messages.iter().map(|message| message.payload.len()).sum::<usize>() / messages.len();
    let jetstream = jetstream::new(relay::connect(nats.url()).await.map_err(anyhow::Error::msg)?);

    let (mut plain, mut relayed) = (Figures::default(), Figures::default());
    for round in 1..=rounds {
        // made by a relay, so that both publish into the same kind of stream
        empty(&store, &config, &jetstream).await?;
        plain.push(events as f64 / publish(nats.url(), &messages).await?.as_secs_f64());
        jetstream.delete_stream(&config.stream).await?;
        relayed.push(events as f64 / relay(&store, &config, events).await?.as_secs_f64());
        jetstream.delete_stream(&config.stream).await?;
        eprintln!("round {round} of {rounds}: done");
    }
    let (plain, relayed) = (plain.median(), relayed.median());
    let mut table = Table::new(["what", "messages a second", "ratio"]);
    table.row(["plain publishing of ready-made messages", &number(plain), "1"]);
    table.row(["the relay, from the log", &number(relayed), &number(relayed / plain)]);
    table.print(&format!("{events} events, {bytes} bytes a message, median of {rounds} interleaved rounds"));
    Ok(())
}

/// The relay's own stream, empty.
async fn empty(store: &EventStore, config: &Config, jetstream: &jetstream::Context) -> Result<()> {
    relay(store, config, 1).await?;
    let stream: Stream = jetstream.get_stream(&config.stream).await?;
    let made = stream.cached_info().config.clone();
    jetstream.delete_stream(&config.stream).await?;
    jetstream.create_stream(made).await?;
    Ok(())
}

/// From its start to the acknowledgement of an event's message.
async fn relay(store: &EventStore, config: &Config, until: usize) -> Result<Duration> {
    let relay = Relay::new(store.clone(), config.clone());
    let mut status = relay.status();
    let started = Instant::now();
    let running = tokio::spawn(relay.run(std::future::pending()));
    let until = Position(i64::try_from(until)?);
    status.wait_for(|status| status.position >= Some(until)).await?;
    let took = started.elapsed();
    running.abort();
    running.await.ok();
    Ok(took)
}

/// As a program would that publishes and forgets where it was: pipelined, each message acknowledged, nothing expected.
async fn publish(url: &str, messages: &[Message]) -> Result<Duration> {
    let client = relay::connect(url).await.map_err(anyhow::Error::msg)?;
    let context = ContextBuilder::new().max_ack_inflight(WINDOW * 2).build(client);
    let messages =
        messages.iter().map(|message| (message.subject.clone(), plain(&message.headers), message.payload.clone()));
    let messages: Vec<_> = messages.collect();
    let started = Instant::now();
    let mut under_way = VecDeque::new();
    for (subject, headers, payload) in messages {
        if under_way.len() == WINDOW {
            let oldest: jetstream::context::PublishAckFuture = under_way.pop_front().context("there is one")?;
            oldest.await?;
        }
        under_way.push_back(context.publish_with_headers(subject, headers, payload.into()).await?);
    }
    for ack in under_way {
        ack.await?;
    }
    Ok(started.elapsed())
}

fn plain(headers: &HeaderMap) -> HeaderMap {
    headers
        .iter()
        .filter(|(name, _)| **name != NATS_EXPECTED_LAST_SEQUENCE)
        .flat_map(|(name, values)| values.iter().map(move |value| (name.clone(), value.clone())))
        .collect()
}
