//! Builds a new generation beside the live one: fill, compare, index, swap in one transaction (docs/adr/0017). A rebuild
//! that is killed continues from its checkpoint.

mod compare;
mod fill;

use std::time::Duration;

use eventstore::{Lead, StoreError};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::context::Context;
use crate::failpoints;
use crate::generations::{self, GenerationInfo, GenerationState};
use crate::session::{self, GenerationError, Session, SessionError};
use compare::{Comparison, Snapshot};
use fill::Fill;

/// How long to wait for the live generation to reach the new one's position, so that they can be compared.
const PATIENCE: Duration = Duration::from_secs(10);
/// The new generation is swapped in once it is no further behind the head than this.
const CLOSE: i64 = 2_000;

/// Nobody reads a generation while it is filled: a lost commit is repeated, and the swap makes everything durable. The
/// first statistics are rough; autovacuum improves them later.
const SETUP: &str = "set statement_timeout = 0; set synchronous_commit = off; set maintenance_work_mem = '256MB';
                     set default_statistics_target = 10";

/// Begins a generation if there is none of this program's schema version, fills the one that is building, and removes
/// retired ones.
pub(crate) async fn reconcile(context: &Context) -> Result<(), SessionError> {
    let (pool, name, schema) = (&context.pool, context.name(), context.model.schema_version());
    let live = generations::live(pool, name).await?;
    let building = match generations::building(pool, name).await? {
        // a newer program fills its own
        Some(other) if other.schema_version > schema => return Ok(()),
        Some(other) if other.schema_version < schema => {
            generations::abandon(pool, name, other.generation).await?;
            None
        }
        building => building,
    };
    let outdated = live.is_none_or(|live| live.schema_version < schema);
    if building.is_none() && outdated {
        generations::begin(pool, context.model).await?;
        return Ok(());
    }
    if let Some(building) = building {
        match build(context, building).await {
            Err(SessionError::Handler(GenerationError::UnreadableRow(reason))) => {
                start_over(context, building, &reason).await?;
            }
            built => built?,
        }
    }
    if let Some(mut lead) = lead_removal(context).await? {
        generations::remove_retired(lead.connection(), context.model).await?;
    }
    Ok(())
}

/// Gives up a half-filled generation with a row that this program can't read, and begins another one.
async fn start_over(context: &Context, info: GenerationInfo, reason: &str) -> Result<(), SessionError> {
    let (name, generation) = (context.name(), info.generation);
    tracing::error!(projection = name, %generation, reason, "a stored row can't be read; the rebuild starts over");
    generations::abandon(&context.pool, name, generation).await?;
    generations::begin(&context.pool, context.model).await?;
    Ok(())
}

/// The lead to remove retired generations, if there are any.
async fn lead_removal(context: &Context) -> Result<Option<Lead>, StoreError> {
    let name = context.name();
    if !generations::any_retired(&context.pool, name).await? {
        return Ok(None);
    }
    context.store.try_lead(&format!("{name} removal")).await
}

async fn build(context: &Context, info: GenerationInfo) -> Result<(), SessionError> {
    let (model, name, generation) = (context.model, context.name(), info.generation);
    // a process that is stopped may still hold it
    let Some(mut lead) = context.store.try_lead(&generation.checkpoint(name)).await? else { return Ok(()) };
    let connection = lead.connection();
    connection.execute(SETUP).await?;
    // this connection is silent during the comparison
    connection.execute("set idle_session_timeout = 0").await?;
    sqlx::raw_sql(AssertSqlSafe(model.create(generation))).execute(&mut *connection).await?;
    // creates the checkpoint, so that readers find a position even if the log is empty
    let mut session = session::open(context, lead, generation, GenerationState::Building).await?;
    tracing::info!(projection = name, %generation, position = %session.position(), "fills a new generation");

    let fill = Fill::new(context, session.position());
    catch_up(context, &fill, &mut session).await?;
    let comparison = comparison(context, &mut session).await?;
    let indexes = model.index(generation).into_iter().map(|script| run_script(context, script));
    let (comparison, _) = tokio::try_join!(comparison.describe(), futures_util::future::try_join_all(indexes))?;
    if comparison.starts_with("differs") {
        tracing::error!(projection = name, %generation, comparison, "a rebuild differs from what it replaces");
    }
    catch_up(context, &fill, &mut session).await?;
    swap(context, &mut session, &comparison).await?;
    tracing::info!(projection = name, %generation, position = %session.position(), comparison, "a new generation serves");
    context.progress.report(name, session.position());
    Ok(())
}

/// Fills until the head of the log is near.
async fn catch_up(context: &Context, fill: &Fill, session: &mut Session) -> Result<(), SessionError> {
    loop {
        fill.drain(session).await?;
        if context.store.head().await?.0 - session.position().0 <= CLOSE {
            return Ok(());
        }
    }
}

/// Runs a script over a connection of its own.
async fn run_script(context: &Context, script: String) -> Result<(), StoreError> {
    let mut connection = context.pool.acquire().await?.detach();
    connection.execute(SETUP).await?;
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Holds the live generation's projector, fills exactly up to its position, and swaps.
async fn swap(context: &Context, session: &mut Session, comparison: &str) -> Result<(), SessionError> {
    let (name, generation) = (context.name(), session.handler().generation);
    hold(session.connection(), name).await?;
    align(context, session).await?;
    failpoints::BEFORE_SWAP.reached();
    let swapped = generations::swap(session.connection(), name, generation, comparison).await?;
    failpoints::SWAPPED.reached();
    release(session.connection(), name).await?;
    if swapped { Ok(()) } else { Err(GenerationError::Replaced.into()) }
}

/// A snapshot in which this generation and the live one have read the same part of the log, or why there is none.
async fn comparison(context: &Context, session: &mut Session) -> Result<Comparison, SessionError> {
    let name = context.name();
    match wait_for_live(context, session).await? {
        Live::None => return Ok(Comparison::None("there was none before")),
        Live::Behind => return Ok(Comparison::None("not compared: the one before was behind")),
        Live::OtherSchema => return Ok(Comparison::None("not compared: the one before has another schema version")),
        Live::Comparable => {}
    }
    hold(session.connection(), name).await?;
    let comparison = match align(context, session).await? {
        Some(live) => {
            Comparison::Of(Snapshot::take(&context.pool, context.model, session.handler().generation, live).await?)
        }
        None => Comparison::None("not compared: the one before could not be held at the same position"),
    };
    release(session.connection(), name).await?;
    Ok(comparison)
}

/// Whether there is a live generation to compare with.
enum Live {
    None,
    OtherSchema,
    Behind,
    Comparable,
}

async fn wait_for_live(context: &Context, session: &mut Session) -> Result<Live, SessionError> {
    let (name, reached) = (context.name(), session.position());
    let Some(live) = generations::live(session.connection(), name).await? else { return Ok(Live::None) };
    let comparable = live.schema_version == context.model.schema_version();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline {
        match generations::live_position(session.connection(), name).await? {
            None => return Ok(Live::None),
            Some(_) if !comparable => return Ok(Live::OtherSchema),
            Some((_, position)) if position >= reached => return Ok(Live::Comparable),
            Some(_) => {
                let soon = tokio::time::Instant::now() + PATIENCE / 100;
                context.progress.wait_for(name, reached, soon).await
            }
        };
    }
    Ok(Live::Behind)
}

/// Fills up to the live generation's position while its projector is held: never less far, or readers would step back.
async fn align(context: &Context, session: &mut Session) -> Result<Option<GenerationInfo>, SessionError> {
    let name = context.name();
    let Some(live) = generations::live(session.connection(), name).await? else { return Ok(None) };
    let Some((_, position)) = generations::live_position(session.connection(), name).await? else { return Ok(None) };
    fill::to(&context.store, session, position).await?;
    Ok((position == session.position()).then_some(live))
}

/// Holds the live generation's projector, until the release or the end of the connection.
async fn hold(connection: &mut PgConnection, name: &str) -> Result<(), StoreError> {
    // a process that is stopped must not hold it forever
    connection.execute("set idle_session_timeout = '15s'").await?;
    sqlx::query("select pg_advisory_lock(hashtextextended('hold ' || $1, 0))")
        .bind(name)
        .execute(&mut *connection)
        .await?;
    Ok(())
}

async fn release(connection: &mut PgConnection, name: &str) -> Result<(), StoreError> {
    sqlx::query("select pg_advisory_unlock(hashtextextended('hold ' || $1, 0))")
        .bind(name)
        .execute(&mut *connection)
        .await?;
    connection.execute("set idle_session_timeout = 0").await?;
    Ok(())
}
