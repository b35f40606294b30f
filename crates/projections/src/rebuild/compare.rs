//! Two generations, row by row, in one snapshot: how many rows each table has, and the sum of their hashes.

use eventstore::StoreError;
use sqlx::{AssertSqlSafe, Executor, PgConnection, PgPool, Row};

use crate::generations::{Generation, Made};
use crate::projection::Projection;
use crate::session::Session;

/// What there is to compare.
pub(super) enum Comparison {
    Of(Snapshot),
    /// Nothing, and why.
    None(&'static str),
}

impl Comparison {
    /// `equal`, how they differ, or why that is not known. It takes its time, and nobody has to wait for it.
    pub(super) async fn in_words(self) -> Result<String, StoreError> {
        match self {
            Self::Of(snapshot) => snapshot.comparison().await,
            Self::None(why) => Ok(why.to_owned()),
        }
    }
}

/// A snapshot in which both generations have read the same part of the log.
pub(super) struct Snapshot {
    projection: &'static dyn Projection,
    old: Side,
    new: Side,
}

/// A generation, and a connection of its own that holds the snapshot: the transaction ends with it.
struct Side {
    generation: Generation,
    connection: PgConnection,
}

/// What a table holds.
#[derive(PartialEq, Eq)]
struct Print {
    rows: i64,
    hash: String,
}

impl Snapshot {
    /// Takes it, while the live generation's projector is held back.
    pub(super) async fn take(pool: &PgPool, session: &Session, live: Made) -> Result<Self, StoreError> {
        let mut old = Side::begin(pool, live.generation).await?;
        let mut new = Side::begin(pool, session.generation).await?;
        // this takes it, not `begin`; both have the same
        let exported: String = sqlx::query_scalar("select pg_export_snapshot()").fetch_one(&mut old.connection).await?;
        let import = format!("set transaction snapshot '{exported}'");
        new.connection.execute(AssertSqlSafe(import)).await?;
        Ok(Self { projection: session.projection, old, new })
    }

    async fn comparison(mut self) -> Result<String, StoreError> {
        let (was, is) = tokio::try_join!(self.old.prints(self.projection), self.new.prints(self.projection))?;
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

    /// What each table holds, by its name.
    async fn prints(&mut self, projection: &dyn Projection) -> Result<Vec<(String, Print)>, StoreError> {
        let mut prints = Vec::new();
        for table in projection.tables(self.generation) {
            let sql = format!(
                "select count(*), coalesce(sum(hash_record_extended({row}, 0)::numeric), 0)::text from {name} t",
                row = table.row,
                name = table.name
            );
            let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut self.connection).await?;
            prints.push((table.name, Print { rows: row.try_get(0)?, hash: row.try_get(1)? }));
        }
        Ok(prints)
    }
}
