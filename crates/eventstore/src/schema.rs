//! The schema of the log: numbered migrations for tables, and one file for each function, installed again when it has changed.

use std::error::Error;
use std::sync::LazyLock;

use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection, PgPool};

/// A function, and the file that holds it.
struct Function {
    name: &'static str,
    sql: &'static str,
}

/// What the tables refer to.
const BEFORE_TABLES: [Function; 2] = [
    Function { name: "eventstore_refuse_change", sql: include_str!("../migrations/sql/eventstore_refuse_change.sql") },
    Function { name: "eventstore_lock", sql: include_str!("../migrations/sql/eventstore_lock.sql") },
];
/// What refers to the tables and their types.
const AFTER_TABLES: [Function; 1] =
    [Function { name: "eventstore_append", sql: include_str!("../migrations/sql/eventstore_append.sql") }];

/// It keeps its own account of what was run, apart from the application's, and lets a database be ahead of the program: an
/// older version may still be running while a newer one has migrated.
static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("./migrations");
    migrator.dangerous_set_table_name("eventstore_migrations");
    migrator.set_ignore_missing(true);
    migrator
});

/// Why the schema of the log could not be brought up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// The log was made before the first release, and no migration leads from there.
    #[error(
        "this database holds a log that was written before version 0.1.0, which can't be migrated: \
         start with an empty data directory or an empty database"
    )]
    BeforeBaseline,
    /// The database can't be reached, or refused a statement.
    #[error("the schema of the log could not be migrated")]
    Database(#[source] Box<dyn Error + Send + Sync>),
}

impl From<sqlx::Error> for MigrateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<sqlx::migrate::MigrateError> for MigrateError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Database(error.into())
    }
}

/// Brings the schema of the log up to date, before [`crate::EventStore::open`]. It needs the rights of the schema's owner. Several
/// at once wait for each other; where nothing is to be done, nothing is.
///
/// # Errors
/// See [`MigrateError`]. A function whose signature has changed needs a new name: `create or replace` refuses it.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    // a connection of its own: the lock ends with it, whatever happens
    let mut connection = pool.acquire().await?.detach();
    sqlx::query("select pg_advisory_lock(hashtextextended('eventstore migrate', 0))").execute(&mut connection).await?;
    if precedes_baseline(&mut connection).await? {
        return Err(MigrateError::BeforeBaseline);
    }
    let account = "create table if not exists eventstore_functions (
         name     text  not null,
         checksum bytea not null,
         constraint eventstore_functions_pkey primary key (name)
       )";
    sqlx::raw_sql(account).execute(&mut connection).await?;
    for function in &BEFORE_TABLES {
        function.install(&mut connection).await?;
    }
    MIGRATOR.run(&mut connection).await?;
    for function in &AFTER_TABLES {
        function.install(&mut connection).await?;
    }
    connection.close().await?;
    Ok(())
}

/// A digest of the schema that [`migrate`] makes: another schema, another digest. For the names of test databases.
#[doc(hidden)]
pub fn schema_digest() -> String {
    let migrations = MIGRATOR.iter().flat_map(|migration| migration.checksum.iter().copied());
    let functions = BEFORE_TABLES.iter().chain(&AFTER_TABLES).flat_map(|function| function.sql.bytes());
    // FNV-1a
    let digest = migrations
        .chain(functions)
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{digest:016x}")
}

/// Whether the numbered migrations that were run began with another file than the baseline.
async fn precedes_baseline(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let there: bool = sqlx::query_scalar("select to_regclass('eventstore_migrations') is not null")
        .fetch_one(&mut *connection)
        .await?;
    if !there {
        return Ok(false);
    }
    let first: Option<Vec<u8>> = sqlx::query_scalar("select checksum from eventstore_migrations where version = 1")
        .fetch_optional(connection)
        .await?;
    let baseline = MIGRATOR.iter().next().map(|migration| &*migration.checksum);
    Ok(first.is_some_and(|first| Some(&*first) != baseline))
}

impl Function {
    /// Installs the function, unless this very text is installed already.
    async fn install(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let mut tx = connection.begin().await?;
        let changed = sqlx::query(
            "insert into eventstore_functions as f (name, checksum) values ($1, sha256(convert_to($2, 'UTF8')))
             on conflict on constraint eventstore_functions_pkey do update set checksum = excluded.checksum
              where f.checksum <> excluded.checksum",
        )
        .bind(self.name)
        .bind(self.sql)
        .execute(&mut *tx)
        .await?;
        if changed.rows_affected() > 0 {
            sqlx::raw_sql(self.sql).execute(&mut *tx).await?;
        }
        tx.commit().await
    }
}
