//! The application: executes commands against the log, reads tickets back from it, and knows who
//! calls.
//!
//! The way of a command is load → fold → decide → append ([`Desk::execute`]); it knows no HTTP. A
//! ticket is always read from its own stream, so that it is never older than what was acknowledged.
#![forbid(unsafe_code)]

mod agents;
mod audit;
mod directory;
mod error;
mod execute;
mod feed;
mod history;
mod keys;
mod names;
mod numbers;
mod people;
mod reading;
mod request;
mod teams;
mod timers;

use std::sync::{Arc, LazyLock};

use agent_aggregate::Agent;
use chrono::TimeDelta;
use eventsourcing::{Executor, Records};
use eventstore::EventStore;
use person_aggregate::Person;
use settings_aggregate::{Setting, Team};
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use ticket_aggregate::Ticket;

pub use agents::NewAgent;
pub use error::{DeskError, RecordRejection, UnknownName};
pub use eventsourcing::audit::{AuditReport, Finding};
pub use eventsourcing::{AsOf, Precondition};
pub use eventsourcing::{Committed, Versioned};
pub use execute::CommandOutcome;
pub use execute::record::{Named, Record};
pub use feed::AnyEntry;
pub use history::{Entry, History, HistoryPage};
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub use keys::fuzzing;
pub use keys::{
    ApiKey, ApiKeyId, AuthError, Key, KeyEvent, KeyId, KeyRejection, KeyState, Keys, MintedKey, NewKey, Owner, Scope,
};
pub use names::{AgentName, Name, PersonName, TeamName};
pub use reading::PAGE_BYTES;
pub use request::{Call, Idempotency, Request, TicketCommand};

/// The schema of the desk's own tables, which stand beside those of the log.
static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("../../migrations/desk");
    migrator.dangerous_set_table_name("desk_migrations");
    migrator.set_ignore_missing(true);
    migrator
});

/// Brings the schema of a database up to date: the log's, the desk's, then the subscriptions'. Several
/// at once wait for each other; where nothing is to be done, nothing is.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    eventstore::migrate(pool).await?;
    MIGRATOR.run(pool).await?;
    // after the desk's, which makes the program's role
    eventsourcing::MIGRATOR.run(pool).await.map_err(MigrateError::Subscriptions)
}

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The log's.
    #[error(transparent)]
    Log(#[from] eventstore::MigrateError),
    /// The desk's own.
    #[error("the desk's schema could not be migrated")]
    Desk(#[from] sqlx::migrate::MigrateError),
    /// The subscriptions'.
    #[error("the schema of the subscriptions could not be migrated")]
    Subscriptions(#[source] sqlx::migrate::MigrateError),
}

/// A digest of the schema that [`migrate`] makes: another schema, another digest.
pub fn schema_digest() -> String {
    let crc = MIGRATOR.iter().fold(crc32fast::hash(eventsourcing::schema_digest().as_bytes()), |crc, migration| {
        crc32fast::hash(&[&u32::to_be_bytes(crc)[..], &migration.checksum].concat())
    });
    format!("{}_{crc:08x}", eventstore::schema_digest())
}

/// SQL that every connection of the program runs: it gives up its owner's rights for those of the
/// program's role, which may select and insert, and neither change nor remove events.
/// Where that role can't be had, the connection stays as it is.
pub const SESSION_SQL: &str = "do $$ begin
       perform set_config('role', 'docket_program', false);
     exception when undefined_object or invalid_parameter_value or insufficient_privilege then null;
     end $$";

/// A ticket at a version.
pub type VersionedTicket = Versioned<Ticket>;

/// The policies that a command follows.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How long a resolved ticket can be reopened.
    pub reopen_window: TimeDelta,
    /// How many bytes of folded tickets are kept in memory, about.
    pub cached_bytes: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self { reopen_window: TimeDelta::days(14), cached_bytes: 64 * 1024 * 1024 }
    }
}

/// The desk. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Desk {
    store: EventStore,
    pool: PgPool,
    keys: Keys,
    executor: Executor,
    tickets: Records<Ticket>,
    people: Records<Person>,
    agents: Records<Agent>,
    teams: Records<Setting<Team>>,
    directory: directory::Directory,
    policy: Arc<Policy>,
}

impl Desk {
    /// A desk over an open log; the pool is for the desk's own tables.
    pub fn new(store: EventStore, pool: PgPool, keys: Keys, policy: Policy) -> Self {
        let executor = Executor::new(store.clone());
        let tickets = Records::new(store.clone(), policy.cached_bytes);
        let of_others = policy.cached_bytes / 8;
        Self {
            executor,
            tickets,
            people: Records::new(store.clone(), of_others),
            agents: Records::new(store.clone(), of_others),
            teams: Records::new(store.clone(), of_others),
            directory: directory::Directory::new(),
            store,
            pool,
            keys,
            policy: Arc::new(policy),
        }
    }

    /// The log beneath.
    pub fn store(&self) -> &EventStore {
        &self.store
    }

    /// Who may call.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }
}
