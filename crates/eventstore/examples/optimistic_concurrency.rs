//! Read, decide, append; decide again after a conflict. Eight writers draw from one stock, which never falls below zero.
//!
//! `DATABASE_URL=postgres://localhost/example cargo run -p eventstore --example optimistic_concurrency`

#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "an example is a program")]

use anyhow::bail;
use chrono::DateTime;
use eventstore::{
    Append, AppendError, CommandId, EventStore, Expected, Metadata, NewEvent, Options, ReceiptKey, StreamId,
    StreamRange, StreamType, Unit, Version,
};
use uuid::Uuid;

const STOCK: StreamType = StreamType::from_static("stock");

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    run(&std::env::var("DATABASE_URL")?).await
}

/// Also run by the tests.
pub(crate) async fn run(database_url: &str) -> anyhow::Result<()> {
    let pool = sqlx::PgPool::connect(database_url).await?;
    eventstore::migrate(&pool).await?;
    let store = EventStore::open(pool, Options::default());

    let stock = StreamId(Uuid::now_v7());
    let filled = NewEvent::new("stock.filled", 1, "{}", DateTime::UNIX_EPOCH);
    let unit = Unit::new(Metadata::new(CommandId(Uuid::now_v7())));
    store.append(unit.append(Append::new(STOCK, stock, Expected::Exact(Version(0)), vec![filled]))).await?;

    let writers: Vec<_> = (0..8).map(|_| tokio::spawn(draw(store.clone(), stock))).collect();
    let mut drawn = 0;
    for writer in writers {
        drawn += usize::from(writer.await??);
    }
    println!("{drawn} of 8 writers drew one of the 5 pieces");
    store.close().await;
    Ok(())
}

/// Draws one piece, if there is one.
async fn draw(store: EventStore, stock: StreamId) -> anyhow::Result<bool> {
    // one command has one key, however often it is tried
    let key = ReceiptKey::new("example", Uuid::now_v7().to_string(), Vec::new(), 0);
    for _ in 0..32 {
        let events = store.read_stream(stock, StreamRange::default()).await?;
        let left = 5 - events.iter().filter(|event| event.event_type == "stock.drawn").count();
        let (Some(last), 1..) = (events.last(), left) else { return Ok(false) };
        let drawn = NewEvent::new("stock.drawn", 1, "{}", DateTime::UNIX_EPOCH);
        let unit = Unit::new(Metadata::new(CommandId(Uuid::now_v7())))
            .append(Append::new(STOCK, stock, Expected::Exact(last.version), vec![drawn]))
            .receipt(key.clone());
        match store.append(unit).await {
            Ok(_) => return Ok(true),
            // another writer was faster: what was decided is stale
            Err(AppendError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    bail!("32 conflicts in a row")
}
