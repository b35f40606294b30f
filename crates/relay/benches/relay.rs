//! Events a second from the log to JetStream, beside plain pipelined publishing of the same messages (ready-made, each
//! acknowledged, no fence), in one run on one private, durable PostgreSQL and one private NATS (`just bench-relay`).
//!
//! Each figure is the median of interleaved rounds: machines are shared and noisy, so only the ratio within one run
//! says anything. An event has a payload of about 300 bytes.

#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "it prints figures")]
#![expect(clippy::disallowed_methods, reason = "a bench is an edge")]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use async_nats::HeaderMap;
use async_nats::header::NATS_EXPECTED_LAST_SEQUENCE;
use async_nats::jetstream::{self, context::ContextBuilder, stream::Stream};
use chrono::Utc;
use devstack::{Durability, Nats, Postgres};
use eventstore::{EventStore, Options, Position};
use futures_util::TryStreamExt;
use relay::{Config, Message, Relay};
use sqlx::PgPool;

/// How many may be under way in the plain publisher, as in the relay.
const WINDOW: usize = 1_024;

fn main() -> Result<()> {
    let number = |name, default| std::env::var(name).ok().and_then(|s| s.parse().ok()).unwrap_or(default);
    let (events, rounds) = (number("BENCH_EVENTS", 300_000), number("BENCH_ROUNDS", 5));
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(events, rounds))
}

async fn run(events: usize, rounds: usize) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("docket-bench-relay-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let (postgres, nats) = tokio::try_join!(Postgres::start(&folder, Durability::Durable), Nats::start(&folder))?;
    let result = measure(&postgres, &nats, events, rounds).await;
    nats.stop().await?;
    postgres.stop().await?;
    std::fs::remove_dir_all(&folder)?;
    result
}

async fn measure(postgres: &Postgres, nats: &Nats, events: usize, rounds: usize) -> Result<()> {
    postgres.ensure_database("bench").await?;
    let pool = PgPool::connect(&postgres.url("bench")).await?;
    eventstore::MIGRATOR.run(&pool).await?;
    fill(&pool, events).await?;
    let store = EventStore::open(pool, Options::default());
    let config = Config::new(nats.url(), Utc::now);
    let messages: Vec<Message> =
        store.read_log(Position(0)).map_ok(|event| Message::of(&event, &config)).try_collect().await?;
    let bytes = messages.iter().map(|message| message.payload.len()).sum::<usize>() / messages.len();
    let jetstream = jetstream::new(async_nats::connect(nats.url()).await?);

    let (mut plain, mut relayed) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        // made by a relay, so that both publish into the same kind of stream
        empty(&store, &config, &jetstream).await?;
        plain.push(events as f64 / publish(nats.url(), &messages).await?.as_secs_f64());
        jetstream.delete_stream(&config.stream).await?;
        relayed.push(events as f64 / relay(&store, &config, events).await?.as_secs_f64());
        jetstream.delete_stream(&config.stream).await?;
        eprintln!("round {} of {rounds}: done", round + 1);
    }
    let (plain, relayed) = (median(&mut plain), median(&mut relayed));
    println!("{events} events, {bytes} bytes a message, median of {rounds} interleaved rounds\n");
    println!("| plain publishing of ready-made messages | the relay, from the log | ratio |");
    println!("|--:|--:|--:|");
    println!("| {plain:.0} | {relayed:.0} | {:.2} |", relayed / plain);
    Ok(())
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The same events as the group commit would have written, faster.
async fn fill(pool: &PgPool, events: usize) -> Result<()> {
    sqlx::query(
        r"insert into events
           select n, lpad((n % 1000)::text, 32, '0')::uuid, 1 + n / 1000, 'ticket.public_reply_added', 1,
                  json_build_object('message_id', lpad(n::text, 32, '0')::uuid, 'body', repeat('x', 230)),
                  json_build_object('command_id', lpad(n::text, 32, '1')::uuid, 'correlation_id', 'request-' || n,
                    'traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
                    'actor', json_build_object('kind', 'agent', 'id', 'ada')),
                  now(), now()
             from generate_series(1, $1) n",
    )
    .bind(i64::try_from(events)?)
    .execute(pool)
    .await?;
    for sql in ["vacuum analyze events", "checkpoint"] {
        sqlx::raw_sql(sql).execute(pool).await?;
    }
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
    let client = async_nats::connect(url).await?;
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
