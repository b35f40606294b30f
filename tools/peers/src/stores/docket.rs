use std::time::Duration;

use anyhow::Result;
use bench::{Known, Log, appends_a_second, dealt};
use devstack::Postgres;
use eventstore::{EventStore, Options};

pub async fn measure(postgres: &Postgres, database: &str, writers: usize, time: Duration) -> Result<f64> {
    let pool = bench::prepare(postgres, database).await?;
    let store = EventStore::open(pool, Options::default());
    let rate = appends_a_second(&Log::new(store.clone()), &mut dealt(writers, Known::fresh()), time).await;
    store.close().await;
    rate
}
