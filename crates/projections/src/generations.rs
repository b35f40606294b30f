//! Which generations of a read model there are, and which one serves. The live one is a row: to swap two
//! generations is to change two rows in one transaction.

use std::fmt;

use eventstore::StoreError;
use sqlx::{Connection, PgConnection, PgExecutor, Row};

use crate::projection::Projection;

/// The number of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Generation(pub(crate) i32);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Generation {
    /// The name of its cursor.
    pub(crate) fn cursor(self, projection: &str) -> String {
        format!("{projection}@{self}")
    }
}

/// A generation and the schema that it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) generation: Generation,
    pub(crate) schema_version: i32,
}

/// The generation of a projection that is in a state: there is one at the most.
async fn in_state(executor: impl PgExecutor<'_>, name: &str, state: &str) -> Result<Option<Made>, StoreError> {
    let row =
        sqlx::query("select generation, schema_version from read_models.generations where name = $1 and state = $2")
            .bind(name)
            .bind(state)
            .fetch_optional(executor)
            .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Made { generation: Generation(row.try_get(0)?), schema_version: row.try_get(1)? }))
}

/// The one that serves.
pub(crate) async fn live(executor: impl PgExecutor<'_>, name: &str) -> Result<Option<Made>, StoreError> {
    in_state(executor, name, "live").await
}

/// The one that is being filled.
pub(crate) async fn building(executor: impl PgExecutor<'_>, name: &str) -> Result<Option<Made>, StoreError> {
    in_state(executor, name, "building").await
}

/// Begins a new generation, if none is being filled.
pub(crate) async fn begin(executor: impl PgExecutor<'_>, projection: &dyn Projection) -> Result<(), StoreError> {
    sqlx::query(
        "insert into read_models.generations (name, generation, schema_version, state, started_at)
         select $1, coalesce(max(generation), 0) + 1, $2, 'building', now()
           from read_models.generations where name = $1
         on conflict do nothing",
    )
    .bind(projection.name())
    .bind(projection.schema_version())
    .execute(executor)
    .await?;
    Ok(())
}

/// Gives up one that is being filled for a schema that is no more.
pub(crate) async fn abandon(
    executor: impl PgExecutor<'_>,
    name: &str,
    generation: Generation,
) -> Result<(), StoreError> {
    sqlx::query(
        "update read_models.generations set state = 'retired' where name = $1 and generation = $2 and state = 'building'",
    )
    .bind(name)
    .bind(generation.0)
    .execute(executor)
    .await?;
    Ok(())
}

/// Tells how fast it is being filled.
pub(crate) async fn report_rate(
    executor: impl PgExecutor<'_>,
    name: &str,
    generation: Generation,
    rate: f64,
) -> Result<(), StoreError> {
    sqlx::query("update read_models.generations set events_per_second = $3 where name = $1 and generation = $2")
        .bind(name)
        .bind(generation.0)
        .bind(rate)
        .execute(executor)
        .await?;
    Ok(())
}

/// Makes a generation the live one, in one transaction. `false`: it was given up meanwhile.
pub(crate) async fn swap(
    connection: &mut PgConnection,
    name: &str,
    generation: Generation,
    comparison: &str,
) -> Result<bool, StoreError> {
    let mut tx = connection.begin().await?;
    sqlx::query("update read_models.generations set state = 'retired' where name = $1 and state = 'live'")
        .bind(name)
        .execute(&mut *tx)
        .await?;
    let swapped = sqlx::query(
        "update read_models.generations
            set state = 'live', live_at = now(), events_per_second = null, comparison = $3
          where name = $1 and generation = $2 and state = 'building'",
    )
    .bind(name)
    .bind(generation.0)
    .bind(comparison)
    .execute(&mut *tx)
    .await?;
    if swapped.rows_affected() != 1 {
        tx.rollback().await?;
        return Ok(false);
    }
    // visible to nobody before it is on the disk, with all that was filled in before
    sqlx::query("set local synchronous_commit = on").execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(true)
}

/// Whether something is left of retired generations.
pub(crate) async fn any_retired(executor: impl PgExecutor<'_>, name: &str) -> Result<bool, StoreError> {
    let sql = "select exists (select from read_models.generations where name = $1 and state = 'retired')";
    Ok(sqlx::query_scalar(sql).bind(name).fetch_one(executor).await?)
}

/// Removes what is left of retired generations. Who still reads one is waited for as long as a lock may take;
/// what can't be had now is removed another time.
pub(crate) async fn remove_retired(
    connection: &mut PgConnection,
    projection: &dyn Projection,
) -> Result<(), StoreError> {
    let name = projection.name();
    let retired: Vec<i32> =
        sqlx::query_scalar("select generation from read_models.generations where name = $1 and state = 'retired'")
            .bind(name)
            .fetch_all(&mut *connection)
            .await?;
    for generation in retired.into_iter().map(Generation) {
        let mut tx = connection.begin().await?;
        for table in projection.tables(generation) {
            let drop = format!("drop table if exists {}", table.name);
            sqlx::query(sqlx::AssertSqlSafe(drop)).execute(&mut *tx).await?;
        }
        for (sql, key) in [
            ("delete from checkpoints where name = $1 and $2 > 0", generation.cursor(name)),
            ("delete from read_models.parked where projection = $1 and generation = $2", name.to_owned()),
            (
                "delete from read_models.generations where name = $1 and generation = $2 and state = 'retired'",
                name.to_owned(),
            ),
        ] {
            sqlx::query(sql).bind(key).bind(generation.0).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        tracing::info!(projection = name, %generation, "a retired generation was removed");
    }
    Ok(())
}
