//! A subscription that counts events by type in a table, exactly once: run it as often as you like, also twice at once.
//!
//! `DATABASE_URL=postgres://localhost/example cargo run -p eventstore --example subscription`

#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "an example is a program")]

use std::time::Duration;

use eventstore::{EventStore, Options, StartFrom, SubscriptionOptions};

const TABLE: &str = "create table if not exists event_counts (
    type  text   not null primary key,
    count bigint not null
)";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    run(&std::env::var("DATABASE_URL")?).await
}

/// Also run by the tests.
pub(crate) async fn run(database_url: &str) -> anyhow::Result<()> {
    let pool = sqlx::PgPool::connect(database_url).await?;
    eventstore::migrate(&pool).await?;
    sqlx::raw_sql(TABLE).execute(&pool).await?;
    let store = EventStore::open(pool, Options::default());

    let options = SubscriptionOptions::new().start_from(StartFrom::Beginning).max_events(500);
    // returns once no other process leads
    let mut subscription = store.subscribe("event-counts", options).await?;
    println!("leads; the log is {} events ahead", subscription.lag().await?);
    // a service would wait for ever
    while let Ok(batch) = tokio::time::timeout(Duration::from_secs(2), subscription.next()).await {
        let batch = batch?;
        let mut transaction = subscription.begin().await?;
        for event in &batch.events {
            sqlx::query(
                "insert into event_counts (type, count) values ($1, 1)
                 on conflict (type) do update set count = event_counts.count + 1",
            )
            .bind(&event.event_type)
            .execute(transaction.connection())
            .await?;
        }
        transaction.commit(batch.through).await?;
        println!("{} events, through position {}", batch.events.len(), batch.through);
    }
    for checkpoint in store.checkpoints().await? {
        println!("{} at {}, lag {}", checkpoint.name, checkpoint.position, checkpoint.lag);
    }
    store.close().await;
    Ok(())
}
