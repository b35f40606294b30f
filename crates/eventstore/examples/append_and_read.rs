//! Appends to a stream and reads it, and the whole log, back.
//!
//! `DATABASE_URL=postgres://localhost/example cargo run -p eventstore --example append_and_read`

#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "an example is a program")]

use chrono::DateTime;
use eventstore::{
    Append, CommandId, EventStore, Expected, LogRange, Metadata, NewEvent, Options, Outcome, Position, StreamId,
    StreamRange, StreamType, Unit,
};
use futures_util::TryStreamExt;
use uuid::Uuid;

const CART: StreamType = StreamType::from_static("cart");

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    run(&std::env::var("DATABASE_URL")?).await
}

/// Also run by the tests.
pub(crate) async fn run(database_url: &str) -> anyhow::Result<()> {
    let pool = sqlx::PgPool::connect(database_url).await?;
    eventstore::migrate(&pool).await?;
    let store = EventStore::open(pool, Options::default());

    let (cart, at) = (StreamId(Uuid::now_v7()), DateTime::UNIX_EPOCH);
    let events = vec![
        NewEvent::new("cart.opened", 1, r#"{"owner":"ada"}"#, at),
        NewEvent::new("cart.item_added", 1, r#"{"sku":"tea","count":2}"#, at),
    ];
    let unit = Unit::new(Metadata::new(CommandId(Uuid::now_v7())))
        .append(Append::new(CART, cart, Expected::Any, events))
        .take_alias("cart-of", cart.to_string(), cart);
    match store.append(unit).await? {
        Outcome::Appended(appended) => println!("appended up to position {:?}", appended.last),
        Outcome::Replayed(_) => anyhow::bail!("the unit has no receipt"),
    }

    for event in store.read_stream(cart, StreamRange::default()).await? {
        println!("version {}: {} {}", event.version, event.event_type, event.payload);
    }
    let carts = LogRange::after(Position(0)).of_types([CART]);
    let count = store.read_log(carts).try_fold(0, |count, _| async move { Ok(count + 1) }).await?;
    println!("{count} events of carts in the log");
    println!("the alias leads to {:?}", store.resolve("cart-of", &cart.to_string()).await?);
    store.close().await;
    Ok(())
}
