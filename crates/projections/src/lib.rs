//! Read models: what is derived from the log to be listed, searched and counted, and can be thrown away.
//!
//! A projection gets the log in batches, inside the transaction that also moves its cursor: exactly once. Of several
//! processes one leads. An event that can't be applied parks its stream, and nothing else (docs/adr/0016). A rebuild fills
//! a new generation of tables beside the one that serves, and takes its place in one transaction (docs/adr/0017). Each
//! answer knows the position that it was read at (docs/adr/0018).
//!
//! A read model's SQL stands in one file, writer and reader side by side: `tickets.rs`, `queues.rs`.
#![forbid(unsafe_code)]

mod error;
mod failpoints;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod generations;
mod memory;
mod metrics;
mod parked;
mod projection;
mod projector;
mod queues;
mod reached;
mod reader;
mod rebuild;
mod requests;
mod secret;
mod session;
mod status;
mod tickets;
mod verify;

use std::sync::LazyLock;
use std::time::Duration;

use eventstore::{EventStore, StoreError};
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::task::JoinSet;

pub use error::ReadError;
pub use queues::{Queue, Queues};
pub use reader::{AtLeast, Reader, TicketsPage};
pub use requests::{Action, Outcome};
pub use status::{Status, StreamFault};
pub use tickets::{Order, Seer, Sort, TicketQuery, TicketRow};
pub use verify::Difference;

use metrics::METRICS;
use projection::Projection;
use projector::Projector;
use reached::Reached;

/// The schema that the projections share, to be run after the log's and the desk's. Tables of generations are made by
/// the program.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("../../migrations/projections");
    migrator.dangerous_set_table_name("projections_migrations");
    migrator.set_ignore_missing(true);
    migrator
});

/// A digest of that schema: another schema, another digest.
pub fn schema_digest() -> String {
    let bytes = MIGRATOR.iter().flat_map(|migration| migration.checksum.iter().copied());
    // FNV-1a
    let digest =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{digest:016x}")
}

/// Every projection there is.
static PROJECTIONS: &[&dyn Projection] = &[&tickets::Tickets, &queues::QueuesProjection];

/// The names of the projections.
pub fn names() -> impl Iterator<Item = &'static str> {
    PROJECTIONS.iter().map(|projection| projection.name())
}

/// How often the gauges are read.
const MEASURE: Duration = Duration::from_secs(2);
/// The pause before what has panicked is started again.
const RESTART: Duration = Duration::from_secs(1);

/// The projections of a process.
#[derive(Clone, Debug)]
pub struct Projections {
    store: EventStore,
    pool: PgPool,
    reached: Reached,
    reader: Reader,
}

impl Projections {
    /// Over an open log. The pool is for reading; what is written goes over connections of their own.
    pub fn new(store: EventStore, pool: PgPool) -> Self {
        let reached = Reached::new(pool.clone(), names());
        let reader = Reader::new(pool.clone(), reached.clone());
        Self { store, pool, reached, reader }
    }

    /// What reads them, also where no projector runs.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Holds each live read model against the fold of the log up to its position; `progress` hears how many events
    /// were read. Changes nothing.
    pub async fn verify(&self, progress: impl FnMut(u64)) -> Result<Vec<Difference>, StoreError> {
        verify::all(&self.store, progress).await
    }

    /// Runs the projectors until told to stop. They may be stopped, or killed, at any moment: what is under way is
    /// rolled back, and done by who leads next.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let mut tasks = JoinSet::new();
        for projection in PROJECTIONS.iter().copied() {
            let projector = Projector {
                store: self.store.clone(),
                pool: self.pool.clone(),
                projection,
                reached: self.reached.clone(),
            };
            tasks.spawn(untiring(projector));
        }
        tasks.spawn(measure(self.reader.clone()));
        stop.await;
        tasks.shutdown().await;
    }
}

/// A fault of the program ends one attempt, not the projection.
async fn untiring(projector: Projector) {
    loop {
        let mut attempt = JoinSet::new();
        attempt.spawn(projector.clone().run());
        if let Some(Err(error)) = attempt.join_next().await {
            tracing::error!(%error, "a projector ended; it is started again");
        }
        tokio::time::sleep(RESTART).await;
    }
}

async fn measure(reader: Reader) {
    loop {
        match reader.status().await {
            Ok(all) => all.iter().filter(|status| status.state == "live").for_each(|status| METRICS.record(status)),
            Err(error) => tracing::debug!(%error, "the projections can't be measured"),
        }
        tokio::time::sleep(MEASURE).await;
    }
}
