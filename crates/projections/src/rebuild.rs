//! A new generation beside the one that serves: filled, compared, indexed, and put in its place in one transaction
//! (docs/adr/0017). Killed at any point, it goes on from its cursor.

mod compare;
mod fill;

use std::time::Duration;

use eventstore::{Checkpoint, Lead, Position, StoreError};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::failpoints;
use crate::generations::{self, Made};
use crate::projector::{Projector, live_position};
use crate::session::{Halt, Role, Session};
use compare::{Comparison, Snapshot};
use fill::Fill;

/// How long it waits for the live generation to come as far as itself, to be compared with it.
const PATIENCE: Duration = Duration::from_secs(10);
/// Behind the head by no more than this it takes its place.
const CLOSE: i64 = 2_000;

/// Nobody reads a generation while it is filled: a commit that is lost is made again, and the swap brings all of it to the
/// disk. Its first statistics are rough: autovacuum makes better ones while it serves.
const SETUP: &str = "set statement_timeout = 0; set synchronous_commit = off; set maintenance_work_mem = '256MB';
                     set default_statistics_target = 10";

/// Begins a generation where there is none of this program's schema, fills the one that is being filled, and removes
/// what is retired.
pub(crate) async fn tend(projector: &Projector) -> Result<(), Halt> {
    let (pool, projection) = (&projector.pool, projector.projection);
    let (name, schema) = (projection.name(), projection.schema_version());
    let live = generations::live(pool, name).await?;
    let building = match generations::building(pool, name).await? {
        // one of a newer program is left to that
        Some(other) if other.schema_version > schema => return Ok(()),
        Some(other) if other.schema_version < schema => {
            generations::abandon(pool, name, other.generation).await?;
            None
        }
        building => building,
    };
    let outdated = live.is_none_or(|live| live.schema_version < schema);
    if building.is_none() && outdated {
        generations::begin(pool, projection).await?;
        return Ok(());
    }
    if let Some(building) = building {
        build(projector, building).await?;
    }
    if let Some(mut lead) = retired(projector).await? {
        generations::remove_retired(lead.connection(), projection).await?;
    }
    Ok(())
}

/// A connection to remove what is retired, if there is any.
async fn retired(projector: &Projector) -> Result<Option<Lead>, StoreError> {
    let name = projector.projection.name();
    if !generations::any_retired(&projector.pool, name).await? {
        return Ok(None);
    }
    projector.store.try_lead(&format!("{name} removal")).await
}

async fn build(projector: &Projector, made: Made) -> Result<(), Halt> {
    let (projection, generation) = (projector.projection, made.generation);
    let name = projection.name();
    // a zombie that still holds it is waited for
    let Some(mut lead) = projector.store.try_lead(&generation.cursor(name)).await? else { return Ok(()) };
    let connection = lead.connection();
    connection.execute(SETUP).await?;
    // while it is compared nothing is said over this connection
    connection.execute("set idle_session_timeout = 0").await?;
    sqlx::raw_sql(AssertSqlSafe(projection.create(generation))).execute(&mut *connection).await?;
    // there is a position from the beginning, also where the log is empty; `false`: there is one
    Checkpoint::advance(&mut *connection, &generation.cursor(name), Position(0), Position(0)).await?;
    let mut session = Session::open(projection, generation, Role::Building, connection).await?;
    tracing::info!(projection = name, %generation, position = %session.position, "fills a new generation");

    let fill = Fill::new(projector, session.position);
    catch_up(projector, &fill, &mut session, connection).await?;
    let comparison = comparison(projector, &mut session, connection).await?;
    let indexes = projection.index(generation).into_iter().map(|script| index(projector, script));
    let (comparison, _) = tokio::try_join!(comparison.in_words(), futures_util::future::try_join_all(indexes))?;
    if comparison.starts_with("differs") {
        tracing::error!(projection = name, %generation, comparison, "a rebuild differs from what it replaces");
    }
    catch_up(projector, &fill, &mut session, connection).await?;
    take_place(projector, &mut session, connection, &comparison).await?;
    tracing::info!(projection = name, %generation, position = %session.position, comparison, "a new generation serves");
    projector.reached.tell(name, session.position);
    Ok(())
}

/// Fills in what there is, until the log's end is near.
async fn catch_up(
    projector: &Projector,
    fill: &Fill,
    session: &mut Session,
    connection: &mut PgConnection,
) -> Result<(), Halt> {
    loop {
        fill.drain(session, connection).await?;
        if projector.store.head().await?.0 - session.position.0 <= CLOSE {
            return Ok(());
        }
    }
}

/// Runs a script over a connection of its own.
async fn index(projector: &Projector, script: String) -> Result<(), StoreError> {
    let mut connection = projector.pool.acquire().await?.detach();
    connection.execute(SETUP).await?;
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Holds the live generation's projector back, comes exactly as far, and swaps.
async fn take_place(
    projector: &Projector,
    session: &mut Session,
    connection: &mut PgConnection,
    comparison: &str,
) -> Result<(), Halt> {
    let name = session.projection.name();
    hold(connection, name).await?;
    align(projector, session, connection).await?;
    failpoints::BEFORE_SWAP.reached();
    let swapped = generations::swap(connection, name, session.generation, comparison).await?;
    failpoints::SWAPPED.reached();
    release(connection, name).await?;
    if swapped { Ok(()) } else { Err(Halt::Replaced) }
}

/// A snapshot in which this generation and the live one have read the same, or why there is none.
async fn comparison(
    projector: &Projector,
    session: &mut Session,
    connection: &mut PgConnection,
) -> Result<Comparison, Halt> {
    let name = session.projection.name();
    match wait_for_live(projector, session, connection).await? {
        Live::None => return Ok(Comparison::None("there was none before")),
        Live::Behind => return Ok(Comparison::None("not compared: the one before it had not come as far")),
        Live::Other => return Ok(Comparison::None("not compared: the one before it has another schema")),
        Live::Comparable => {}
    }
    hold(connection, name).await?;
    let comparison = match align(projector, session, connection).await? {
        Some(live) => Comparison::Of(Snapshot::take(&projector.pool, session, live).await?),
        None => Comparison::None("not compared: the one before it could not be held at the same position"),
    };
    release(connection, name).await?;
    Ok(comparison)
}

/// What there is to compare with.
enum Live {
    None,
    Other,
    Behind,
    Comparable,
}

async fn wait_for_live(projector: &Projector, session: &Session, connection: &mut PgConnection) -> Result<Live, Halt> {
    let name = session.projection.name();
    let Some(live) = generations::live(&mut *connection, name).await? else { return Ok(Live::None) };
    let comparable = live.schema_version == session.projection.schema_version();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline {
        match live_position(connection, name).await? {
            None => return Ok(Live::None),
            Some((_, position)) if position >= session.position => {
                return Ok(if comparable { Live::Comparable } else { Live::Other });
            }
            Some(_) if !comparable => return Ok(Live::Other),
            Some(_) => {
                projector.reached.wait(name, session.position, tokio::time::Instant::now() + PATIENCE / 100).await
            }
        };
    }
    Ok(Live::Behind)
}

/// Comes as far as the live generation, whose projector is held back: never less far, or readers would step back.
async fn align(
    projector: &Projector,
    session: &mut Session,
    connection: &mut PgConnection,
) -> Result<Option<Made>, Halt> {
    let name = session.projection.name();
    let Some(live) = generations::live(&mut *connection, name).await? else { return Ok(None) };
    let Some((_, position)) = live_position(connection, name).await? else { return Ok(None) };
    fill::to(&projector.store, session, connection, position).await?;
    Ok((position == session.position).then_some(live))
}

/// Holds the live generation's projector back, as long as the connection lives or until it is released.
async fn hold(connection: &mut PgConnection, name: &str) -> Result<(), StoreError> {
    // one that is stopped must not hold it back for good
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
