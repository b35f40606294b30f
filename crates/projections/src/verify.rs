//! The audit of all read models: each live generation against the fold of the log up to its position.

use eventsourcing::subscription;
use eventstore::{EventStore, StoreError};
use sqlx::{Executor, PgPool};

use crate::generations;
use crate::read_model::ReadModel;
use crate::verification::{Difference, Scope, Verification};

/// Audits every read model. `progress` is called with the number of events read so far, over all of them.
pub(crate) async fn all(
    models: &[&dyn ReadModel],
    store: &EventStore,
    pool: &PgPool,
    mut progress: impl FnMut(u64) + Send,
) -> Result<Vec<Difference>, StoreError> {
    let mut differences = Vec::new();
    let mut before = 0;
    for model in models {
        let mut read = 0;
        let mut progress = |events| {
            read = events;
            progress(before + events);
        };
        if let Some(mut verification) = begin(*model, store, pool, &mut progress).await? {
            differences.extend(model.verify(&mut verification).await?);
        }
        before += read;
    }
    Ok(differences)
}

/// `None`: there is no live generation yet.
async fn begin<'a>(
    model: &dyn ReadModel,
    store: &'a EventStore,
    pool: &PgPool,
    progress: &'a mut (dyn FnMut(u64) + Send),
) -> Result<Option<Verification<'a>>, StoreError> {
    // the transaction ends with the connection
    let mut connection = pool.acquire().await?.detach();
    connection.execute("begin isolation level repeatable read read only").await?;
    connection.execute("set local idle_in_transaction_session_timeout = 0; set local statement_timeout = 0").await?;
    // an audit does not migrate
    let migrated = sqlx::query_scalar("select to_regclass('read_models.generations') is not null");
    if !migrated.fetch_one(&mut connection).await? {
        return Ok(None);
    }
    let name = model.name();
    let Some((generation, position)) = generations::live_position(&mut connection, name).await? else {
        return Ok(None);
    };
    let parked = subscription::parked(&mut connection, &generation.checkpoint(name)).await?;
    let skips = subscription::skips(&mut connection, name).await?;
    Ok(Some(Verification { store, connection, generation, scope: Scope { position, parked, skips }, progress }))
}
