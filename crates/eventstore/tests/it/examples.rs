//! The examples run on an empty database.

#![allow(dead_code, reason = "each example has a main function of its own")]

use devstack::testing::TestDatabase;

#[path = "../../examples/append_and_read.rs"]
mod append_and_read;
#[path = "../../examples/optimistic_concurrency.rs"]
mod optimistic_concurrency;
#[path = "../../examples/subscription.rs"]
mod subscription;

#[tokio::test]
async fn examples_run() {
    let database = TestDatabase::create("eventstore_empty", async |_| Ok(())).await;
    append_and_read::run(database.url()).await.unwrap();
    optimistic_concurrency::run(database.url()).await.unwrap();
    subscription::run(database.url()).await.unwrap();
    let pool = sqlx::PgPool::connect(database.url()).await.unwrap();
    let drawn: i64 =
        sqlx::query_scalar("select count from event_counts where type = 'stock.drawn'").fetch_one(&pool).await.unwrap();
    assert_eq!(drawn, 5);
}
