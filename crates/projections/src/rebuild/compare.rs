//! Compares two generations in one snapshot, by the number of rows of each table and the sum of the rows' hashes.

use eventstore::StoreError;
use sqlx::{AssertSqlSafe, Executor, PgConnection, PgPool, Row};

use crate::generation::Generation;
use crate::generations::GenerationInfo;
use crate::read_model::ReadModel;

/// The comparison with the generation that is replaced.
pub(super) enum Comparison {
    Of(Snapshot),
    /// There is nothing to compare, for this reason.
    None(&'static str),
}

impl Comparison {
    /// `equal`, `differs: …`, or why there is no comparison. Reads both generations whole; nothing is locked meanwhile.
    pub(super) async fn describe(self) -> Result<String, StoreError> {
        match self {
            Self::Of(snapshot) => snapshot.comparison().await,
            Self::None(why) => Ok(why.to_owned()),
        }
    }
}

/// A snapshot in which both generations have read the same part of the log.
pub(super) struct Snapshot {
    model: &'static dyn ReadModel,
    old: Side,
    new: Side,
}

/// A generation, and a connection that holds the snapshot; its transaction ends when it is dropped.
struct Side {
    generation: Generation,
    connection: PgConnection,
}

/// The fingerprint of a table.
#[derive(PartialEq, Eq)]
struct Fingerprint {
    rows: i64,
    hash: String,
}

impl Snapshot {
    /// Call it while the live generation's projector is held.
    pub(super) async fn take(
        pool: &PgPool,
        model: &'static dyn ReadModel,
        new: Generation,
        live: GenerationInfo,
    ) -> Result<Self, StoreError> {
        let mut old = Side::begin(pool, live.generation).await?;
        let mut new = Side::begin(pool, new).await?;
        // the snapshot begins here, not at `begin`; the other connection imports it
        let exported: String = sqlx::query_scalar("select pg_export_snapshot()").fetch_one(&mut old.connection).await?;
        let import = format!("set transaction snapshot '{exported}'");
        new.connection.execute(AssertSqlSafe(import)).await?;
        Ok(Self { model, old, new })
    }

    async fn comparison(mut self) -> Result<String, StoreError> {
        let (was, is) = tokio::try_join!(self.old.fingerprints(self.model), self.new.fingerprints(self.model))?;
        let differ = was.iter().zip(&is).filter(|((_, was), (_, is))| was != is).map(|((old, was), (new, is))| {
            format!("{old} has {} rows, {new} {}, and their contents differ", was.rows, is.rows)
        });
        let differences = differ.collect::<Vec<_>>();
        Ok(if differences.is_empty() { "equal".to_owned() } else { format!("differs: {}", differences.join("; ")) })
    }
}

impl Side {
    async fn begin(pool: &PgPool, generation: Generation) -> Result<Self, StoreError> {
        let mut connection = pool.acquire().await?.detach();
        connection.execute("begin isolation level repeatable read read only").await?;
        connection.execute("set local statement_timeout = 0").await?;
        Ok(Self { generation, connection })
    }

    /// Each table's name and fingerprint.
    async fn fingerprints(&mut self, model: &dyn ReadModel) -> Result<Vec<(String, Fingerprint)>, StoreError> {
        let mut fingerprints = Vec::new();
        for table in model.tables(self.generation) {
            let sql = format!(
                "select count(*), coalesce(sum(hash_record_extended({row}, 0)::numeric), 0)::text from {name} t",
                row = table.row,
                name = table.name
            );
            let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut self.connection).await?;
            fingerprints.push((table.name, Fingerprint { rows: row.try_get(0)?, hash: row.try_get(1)? }));
        }
        Ok(fingerprints)
    }
}
