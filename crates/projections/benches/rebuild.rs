//! Events a second of a rebuild, beside a plain ordered read of the same log through the same driver, in one run on one
//! private, durable PostgreSQL (`cargo bench -p projections --bench rebuild`).
//!
//! The log: tickets of five events on average, two hundred of them alive at once, texts of a usual length. A rebuild is
//! all of it, from the request to the swap: filling, indexes, the comparison with the generation that it replaces. The
//! figures are medians of three rounds; machines are shared and noisy, so that the ratio says more than they do.

#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "it prints figures")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use devstack::{Durability, Postgres};
use eventstore::{Append, CommandId, EventStore, Expected, Metadata, NewEvent, Options, Position, StreamId, Unit};
use projections::{Projections, Reader};
use sqlx::postgres::PgPoolOptions;
use ticket_aggregate::{
    AgentId, AssignmentMethod, Channel, Event, MessageId, Priority, Requester, ResolutionCode, Tag, TeamId,
    TicketNumber, TicketOpened, codec,
};
use uuid::Uuid;

const ALIVE: u128 = 200;
const ROUNDS: usize = 3;

fn main() -> Result<()> {
    let events = std::env::var("BENCH_EVENTS").ok().and_then(|s| s.parse().ok()).unwrap_or(200_000);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(events))
}

async fn run(events: usize) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("docket-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let postgres = Postgres::start(&folder, Durability::Durable).await?;
    let result = measure(&postgres, events).await;
    postgres.stop().await?;
    std::fs::remove_dir_all(&folder)?;
    result
}

async fn measure(postgres: &Postgres, events: usize) -> Result<()> {
    postgres.ensure_database("bench").await?;
    let pool = PgPoolOptions::new().max_connections(8).connect(&postgres.url("bench")).await?;
    eventstore::MIGRATOR.run(&pool).await?;
    projections::MIGRATOR.run(&pool).await?;
    let store = EventStore::open(pool.clone(), Options::default());
    fill(&store, events).await?;
    for sql in ["vacuum analyze events", "checkpoint"] {
        sqlx::raw_sql(sql).execute(&pool).await?;
    }
    let head = store.head().await?;

    let projections = Projections::new(store.clone(), pool);
    let reader = projections.reader();
    let running = tokio::spawn(projections.run(std::future::pending()));
    for name in projections::names() {
        serves(&reader, name, 1).await?;
    }
    let names: Vec<_> = projections::names().collect();
    let (mut reads, mut rebuilds) = (Vec::new(), vec![Vec::new(); names.len()]);
    for _ in 0..ROUNDS {
        reads.push(rate(head, plain_read(&store).await?));
        for (index, name) in names.iter().enumerate() {
            let began = Instant::now();
            let generation = reader.rebuild(name).await?.context("a projection")?;
            let status = serves(&reader, name, generation).await?;
            anyhow::ensure!(status.comparison.as_deref() == Some("equal"), "{status:?}");
            rebuilds[index].push(rate(head, began.elapsed()));
        }
    }
    running.abort();
    let read = median(&mut reads);
    println!("{head} events (median of {ROUNDS} rounds, fsync on)\n");
    println!("| what | events/s | of a plain ordered read |\n|--|--:|--:|\n| plain ordered read | {read:.0} | 1 |");
    for (name, rates) in names.iter().zip(&mut rebuilds) {
        let rebuilt = median(rates);
        println!("| rebuild of {name} | {rebuilt:.0} | {:.2} |", rebuilt / read);
    }
    Ok(())
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn rate(head: Position, time: Duration) -> f64 {
    head.0 as f64 / time.as_secs_f64()
}

async fn plain_read(store: &EventStore) -> Result<Duration> {
    let began = Instant::now();
    let mut after = Position(0);
    loop {
        let page = store.read_page(after, 8_000).await?;
        match page.last() {
            Some(last) => after = last.position,
            None => return Ok(began.elapsed()),
        }
    }
}

async fn serves(reader: &Reader, name: &str, generation: i32) -> Result<projections::Status> {
    loop {
        let all = reader.status().await?;
        if let Some(status) =
            all.into_iter().find(|s| s.name == name && s.generation == generation && s.state == "live")
        {
            return Ok(status);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Cohorts of tickets whose events take turns.
async fn fill(store: &EventStore, events: usize) -> Result<()> {
    let (mut written, mut first) = (0, 0);
    let began = DateTime::from_timestamp(1_760_000_000, 0).context("a time")?;
    while written < events {
        for step in 0..7 {
            let appends: Vec<_> = (first..first + ALIVE)
                .filter_map(|n| {
                    let at = began + TimeDelta::seconds(i64::try_from(first).ok()? * 7 + step);
                    Some(Append { stream_id: ticket(n), expected: Expected::Any, events: vec![event(n, step, at)?] })
                })
                .collect();
            written += appends.len();
            let command_id = CommandId(Uuid::from_u128(first * 10 + u128::try_from(step)?));
            let metadata = Metadata { command_id, traceparent: None, extra: serde_json::Map::new() };
            store.append(Unit { metadata, appends, receipt: None, aliases: Vec::new() }).await?;
        }
        first += ALIVE;
    }
    Ok(())
}

fn ticket(n: u128) -> StreamId {
    StreamId(Uuid::from_u128(0x0193_5b1e_0000_7000_8000_0000_0000_0000 + n))
}

/// The n-th ticket's event of a step; not each has one in every step.
fn event(n: u128, step: i64, occurred_at: DateTime<Utc>) -> Option<NewEvent> {
    let message_id = MessageId(Uuid::from_u128(n));
    let text = |what: &str| format!("{what} {n}: {}", "the quick brown fox jumps over the lazy dog ".repeat(4));
    let event = match step {
        0 => Event::TicketOpened(Box::new(TicketOpened {
            number: TicketNumber::try_from(i64::try_from(n).ok()? + 1).ok()?,
            requester: Requester::parse(&format!("person{}@example.com", n % 997), Some("A Person")).ok(),
            channel: Channel::default(),
            subject: format!("Printer {n} is on fire"),
            body: text("It burns"),
            priority: Priority::ALL[usize::try_from(n % 4).ok()?],
            category: Some("hardware".into()),
            team: TeamId::parse(&format!("team {}", n % 5)).ok(),
            tags: BTreeSet::from([Tag::parse(&format!("tag {}", n % 10)).ok()?]),
            source_id: None,
            follow_up_of: None,
        })),
        1 => Event::AgentAssigned {
            from: None,
            to: AgentId::parse(&format!("agent {}", n % 20)).ok()?,
            method: AssignmentMethod::Automatic,
        },
        2 => Event::PublicReplyAdded { message_id, body: text("Which one"), recipients: Vec::new(), source_id: None },
        3 if n.is_multiple_of(2) => Event::RequesterReplied { message_id, body: text("That one"), source_id: None },
        4 if n.is_multiple_of(3) => Event::InternalNoteAdded { message_id, body: text("Arson") },
        5 if n.is_multiple_of(6) => Event::PriorityChanged { from: Priority::Low, to: Priority::Urgent, reason: None },
        6 => Event::TicketResolved { code: ResolutionCode::parse("solved").ok()?, reopen_until: occurred_at },
        _ => return None,
    };
    let encoded = codec::encode(&event).ok()?;
    let (event_type, schema_version) = (encoded.event_type.to_owned(), encoded.schema_version);
    Some(NewEvent { event_type, schema_version, payload: encoded.payload, occurred_at })
}
