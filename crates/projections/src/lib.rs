//! Read models: tables for lists, search and counts that are derived from the log, and can be thrown away and rebuilt.
//!
//! A projector reads the log in batches and applies each one in the transaction that also advances its checkpoint: exactly
//! once. Of several processes one leads. An event that can't be applied parks its stream, and nothing else
//! (docs/adr/0016). A rebuild fills a new generation of tables beside the live one, and is swapped in by one transaction
//! (docs/adr/0017). Each answer carries the position that it was read at (docs/adr/0018).
//!
//! A read model has one folder, which alone names its tables, and one entry in the registry: `tickets`, `queues`, `people`, `agents`,
//! `settings`, `timers`.
#![forbid(unsafe_code)]

mod agents;
mod cache;
mod context;
mod error;
mod failpoints;
mod fold;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod generation;
mod generations;
mod ids;
mod metrics;
mod page_cursor;
mod people;
mod progress;
mod projector;
mod queues;
mod read_model;
mod reader;
mod rebuild;
mod records;
mod registry;
mod secret;
mod session;
mod settings;
mod status;
mod table;
mod tickets;
mod timers;
mod tokenizer;
mod verification;
mod verify;

use std::sync::LazyLock;
use std::time::Duration;

use eventstore::{EventStore, StoreError};
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::task::JoinSet;

pub use agents::{AgentQuery, AgentRow, AgentsPage};
pub use error::ReadError;
pub use eventsourcing::subscription::{Action, Outcome};
pub use people::{PeoplePage, PersonQuery, PersonRow};
pub use queues::{Queue, QueuesPage};
pub use reader::{AtLeast, Reader};
pub use records::{RecordPage, RecordRow};
pub use registry::names;
pub use settings::{SettingQuery, SettingRow, SettingsPage};
pub use status::{Status, StreamFault};
pub use tickets::{Filter, Order, Sort, TicketQuery, TicketRow, TicketsPage, Viewer};
pub use timers::TimersReader;
pub use verification::Difference;

use context::Context;
use metrics::METRICS;
use progress::Progress;
use registry::READ_MODELS;

/// The schema that all read models share; run it after the log's, the desk's and the subscriptions'. The tables of generations are created by
/// the program.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("../../migrations/projections");
    migrator.dangerous_set_table_name("projections_migrations");
    migrator.set_ignore_missing(true);
    migrator
});

/// A digest of that schema, to name databases after in tests.
pub fn schema_digest() -> String {
    let bytes = MIGRATOR.iter().flat_map(|migration| migration.checksum.iter().copied());
    // FNV-1a
    let digest =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{digest:016x}")
}

/// How often the gauges are updated.
const MEASURE: Duration = Duration::from_secs(2);

/// The projections of a process.
#[derive(Clone, Debug)]
pub struct Projections {
    store: EventStore,
    pool: PgPool,
    progress: Progress,
    reader: Reader,
}

impl Projections {
    /// Reads go over the pool; each projector writes over a connection of its own.
    pub fn new(store: EventStore, pool: PgPool) -> Self {
        let progress = Progress::new(pool.clone(), names());
        let reader = Reader::new(pool.clone(), progress.clone(), READ_MODELS);
        Self { store, pool, progress, reader }
    }

    /// The reader; it works whether or not a projector runs in this process.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Compares each live read model with the fold of the log up to its position. `progress` is called with the number of
    /// events read so far; the log is read once per read model. Nothing is changed.
    pub async fn verify(&self, progress: impl FnMut(u64) + Send) -> Result<Vec<Difference>, StoreError> {
        verify::all(READ_MODELS, &self.store, &self.pool, progress).await
    }

    /// Runs the projectors until `stop`. They may be stopped or killed at any moment: the batch under way is rolled back,
    /// and the next leader applies it.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let mut tasks = JoinSet::new();
        for model in READ_MODELS.iter().copied() {
            let (store, pool, progress) = (self.store.clone(), self.pool.clone(), self.progress.clone());
            tasks.spawn(projector::run(Context { store, pool, model, progress }));
        }
        tasks.spawn(measure(self.reader.clone()));
        stop.await;
        tasks.shutdown().await;
    }
}

async fn measure(reader: Reader) {
    loop {
        match reader.status().await {
            Ok(all) => all.iter().filter(|status| status.state == "live").for_each(|status| METRICS.record(status)),
            Err(error) => tracing::debug!(%error, "the read models can't be measured"),
        }
        tokio::time::sleep(MEASURE).await;
    }
}
