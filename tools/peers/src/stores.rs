//! The stores that are measured.

mod disintegrate;
mod docket;
mod esrs;
mod message_db;
mod postgres_es;

use std::time::Duration;

use anyhow::Result;
use bench::{Appender, STREAMS, appends_a_second, dealt};
use devstack::Postgres;
use futures_util::future::try_join_all;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::scripts::{self, Script};

/// Who is measured, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Pgbench,
    Docket,
    Esrs,
    PostgresEs,
    Emmett,
    MessageDb,
    Eventsourcing,
    Disintegrate,
}

impl Peer {
    pub const ALL: [Self; 8] = [
        Self::Pgbench,
        Self::Docket,
        Self::Esrs,
        Self::PostgresEs,
        Self::Emmett,
        Self::MessageDb,
        Self::Eventsourcing,
        Self::Disintegrate,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Pgbench => "pgbench",
            Self::Docket => "docket",
            Self::Esrs => "esrs",
            Self::PostgresEs => "postgres-es",
            Self::Emmett => "emmett-postgresql",
            Self::MessageDb => "message-db",
            Self::Eventsourcing => "eventsourcing",
            Self::Disintegrate => "disintegrate-postgres",
        }
    }

    /// With its version, and what orders all of its events.
    pub fn title(self) -> &'static str {
        match self {
            Self::Pgbench => "yardstick: `pgbench`, one plain single-row insert a transaction",
            Self::Docket => "**Docket** (gapless, in commit order)",
            Self::Esrs => "esrs 0.18.0 (no order over all)",
            Self::PostgresEs => "postgres-es 0.5.0 (no order over all)",
            Self::Emmett => "emmett-postgresql 0.42.0 (transaction ids)",
            Self::MessageDb => "message-db 1.3.1 (a lock a category), called by pgbench",
            Self::Eventsourcing => "eventsourcing 9.5.6 (its database function)",
            Self::Disintegrate => "disintegrate-postgres 4.0.1 (serializable, advisory locks)",
        }
    }

    /// Appends a second, in a database that is empty before.
    pub async fn measure(self, postgres: &Postgres, database: &str, writers: usize, time: Duration) -> Result<f64> {
        let url = &postgres.url(database);
        match self {
            Self::Pgbench => {
                bench::prepare(postgres, database).await?.close().await;
                bench::single_row_inserts(postgres, database, writers, time)
            }
            Self::Docket => docket::measure(postgres, database, writers, time).await,
            Self::Esrs => {
                written(&esrs::Esrs::open(pool(url, writers).await?).await?, writers, time, esrs::stream).await
            }
            Self::PostgresEs => {
                let store = postgres_es::PostgresEs::open(pool(url, writers).await?).await?;
                written(&store, writers, time, postgres_es::stream).await
            }
            Self::Disintegrate => {
                let store = disintegrate::Disintegrate::open(pool(url, writers).await?).await?;
                written(&store, writers, time, disintegrate::stream).await
            }
            Self::MessageDb => message_db::measure(postgres, database, writers, time).await,
            Self::Emmett => scripts::appends_a_second(Script::Emmett, url, writers, time).await,
            Self::Eventsourcing => scripts::appends_a_second(Script::Eventsourcing, url, writers, time).await,
        }
    }
}

async fn written<A: Appender>(
    store: &A,
    writers: usize,
    time: Duration,
    stream: impl Fn(u32) -> A::Stream,
) -> Result<f64> {
    appends_a_second(store, &mut dealt(writers, (0..STREAMS).map(stream)), time).await
}

/// A connection for each writer, all of them made, and not asked before each use whether they still live.
async fn pool(url: &str, writers: usize) -> Result<PgPool> {
    let options = PgPoolOptions::new().max_connections(u32::try_from(writers.max(2))?).test_before_acquire(false);
    let pool = options.connect(url).await?;
    let all = try_join_all((0..writers).map(|_| pool.acquire())).await?;
    drop(all);
    Ok(pool)
}

/// The payload's text, as every store records it.
fn body() -> String {
    "x".repeat(230)
}
