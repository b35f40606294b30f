//! The generations of a read model. Which one is live is a row: a swap changes two rows in one transaction.

use eventsourcing::subscription;
use eventstore::{Checkpoint, Position, StoreError};
use sqlx::{Connection, PgConnection, PgExecutor, Row};

use crate::generation::Generation;
use crate::read_model::ReadModel;

/// The state that a generation must be in to be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GenerationState {
    /// Serves readers. A swap holds its projector back for a moment.
    Live,
    /// Is being filled.
    Building,
}

impl GenerationState {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Building => "building",
        }
    }
}

/// A generation and its schema version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GenerationInfo {
    pub(crate) generation: Generation,
    pub(crate) schema_version: i32,
}

/// The generation of a model in a state; a unique index allows one at most.
async fn in_state(
    executor: impl PgExecutor<'_>,
    name: &str,
    state: GenerationState,
) -> Result<Option<GenerationInfo>, StoreError> {
    let row =
        sqlx::query("select generation, schema_version from read_models.generations where name = $1 and state = $2")
            .bind(name)
            .bind(state.as_str())
            .fetch_optional(executor)
            .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(GenerationInfo { generation: Generation(row.try_get(0)?), schema_version: row.try_get(1)? }))
}

/// The generation that serves.
pub(crate) async fn live(executor: impl PgExecutor<'_>, name: &str) -> Result<Option<GenerationInfo>, StoreError> {
    in_state(executor, name, GenerationState::Live).await
}

/// The generation that is being filled.
pub(crate) async fn building(executor: impl PgExecutor<'_>, name: &str) -> Result<Option<GenerationInfo>, StoreError> {
    in_state(executor, name, GenerationState::Building).await
}

/// The live generation and how far it has read the log.
pub(crate) async fn live_position(
    connection: &mut PgConnection,
    name: &str,
) -> Result<Option<(Generation, Position)>, StoreError> {
    let Some(live) = live(&mut *connection, name).await? else { return Ok(None) };
    let position = Checkpoint::position(connection, &live.generation.checkpoint(name)).await?;
    Ok(Some((live.generation, position)))
}

/// Begins a new generation unless one is being filled.
pub(crate) async fn begin(executor: impl PgExecutor<'_>, model: &dyn ReadModel) -> Result<(), StoreError> {
    sqlx::query(
        "insert into read_models.generations (name, generation, schema_version, state, started_at)
         select $1, coalesce(max(generation), 0) + 1, $2, 'building', now()
           from read_models.generations where name = $1
         on conflict do nothing",
    )
    .bind(model.name())
    .bind(model.schema_version())
    .execute(executor)
    .await?;
    Ok(())
}

/// Gives up a generation that is being filled.
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

/// Records how fast a generation is being filled.
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

/// Makes a generation the live one, in one transaction. `false`: it was given up in the meantime.
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
    // durable before anyone can see it, together with everything that was filled in before
    sqlx::query("set local synchronous_commit = on").execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(true)
}

/// Whether a retired generation is left to remove.
pub(crate) async fn any_retired(executor: impl PgExecutor<'_>, name: &str) -> Result<bool, StoreError> {
    let sql = "select exists (select from read_models.generations where name = $1 and state = 'retired')";
    Ok(sqlx::query_scalar(sql).bind(name).fetch_one(executor).await?)
}

/// Removes retired generations. A reader that still uses one delays this by `lock_timeout` at most; the removal is then
/// tried again later.
pub(crate) async fn remove_retired(connection: &mut PgConnection, model: &dyn ReadModel) -> Result<(), StoreError> {
    let name = model.name();
    let retired: Vec<i32> =
        sqlx::query_scalar("select generation from read_models.generations where name = $1 and state = 'retired'")
            .bind(name)
            .fetch_all(&mut *connection)
            .await?;
    for generation in retired.into_iter().map(Generation) {
        let mut tx = connection.begin().await?;
        for table in model.tables(generation) {
            let drop = format!("drop table if exists {}", table.name);
            sqlx::query(sqlx::AssertSqlSafe(drop)).execute(&mut *tx).await?;
        }
        subscription::forget(&mut *tx, &generation.checkpoint(name)).await?;
        for (sql, key) in [
            ("delete from checkpoints where name = $1 and $2 > 0", generation.checkpoint(name)),
            (
                "delete from read_models.generations where name = $1 and generation = $2 and state = 'retired'",
                name.to_owned(),
            ),
        ] {
            sqlx::query(sql).bind(key).bind(generation.0).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        tracing::info!(projection = name, %generation, "removed a retired generation");
    }
    Ok(())
}
