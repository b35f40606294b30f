//! A new generation beside the one that serves: filled, indexed, compared, and put in its place in one transaction
//! (docs/adr/0017). Killed at any point, it goes on from its cursor.

mod compare;
mod fill;

use std::time::Duration;

use eventstore::{Cursor, Fault, Lead, Position};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::failpoints;
use crate::generations::{self, Made};
use crate::projector::{Projector, live_position};
use crate::session::{Halt, Role, Session};
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
async fn retired(projector: &Projector) -> Result<Option<Lead>, Fault> {
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
    Cursor::advance(&mut *connection, &generation.cursor(name), Position(0), Position(0)).await?;
    let mut session = Session::open(projection, generation, Role::Building, connection).await?;
    tracing::info!(projection = name, %generation, position = %session.position, "fills a new generation");

    let fill = Fill::new(projector, session.position);
    fill.drain(&mut session, connection).await?;
    let scripts = projection.index(generation).into_iter().map(|script| index(projector, script));
    futures_util::future::try_join_all(scripts).await?;
    while projector.store.head().await?.0 - session.position.0 > CLOSE {
        fill.drain(&mut session, connection).await?;
    }
    let comparison = take_place(projector, &mut session, connection).await?;
    tracing::info!(projection = name, %generation, position = %session.position, comparison, "a new generation serves");
    projector.reached.tell(name, session.position);
    Ok(())
}

/// Runs a script over a connection of its own.
async fn index(projector: &Projector, script: String) -> Result<(), Fault> {
    let mut connection = projector.pool.acquire().await?.detach();
    connection.execute(SETUP).await?;
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Holds the live generation's projector back, comes exactly as far, compares, and swaps.
async fn take_place(
    projector: &Projector,
    session: &mut Session,
    connection: &mut PgConnection,
) -> Result<String, Halt> {
    let name = session.projection.name();
    let live = wait_for_live(projector, session, connection).await?;
    let comparison = match live {
        Live::None => "there was none before".to_owned(),
        Live::Behind => "not compared: the one before it had not come as far".to_owned(),
        Live::Other => "not compared: the one before it has another schema".to_owned(),
        Live::Comparable => {
            hold(connection, name).await?;
            let aligned = align(projector, session, connection).await?;
            // a snapshot in which both have read the same; comparing takes its time, the projector need not wait for it
            let snapshot = compare::snapshot(&projector.store, session, aligned).await?;
            release(connection, name).await?;
            snapshot.comparison().await?
        }
    };
    if comparison.starts_with("differs") {
        tracing::error!(projection = name, generation = %session.generation, comparison, "a rebuild differs from what it replaces");
    }
    hold(connection, name).await?;
    align(projector, session, connection).await?;
    failpoints::BEFORE_SWAP.reached();
    let swapped = generations::swap(connection, name, session.generation, &comparison).await?;
    failpoints::SWAPPED.reached();
    release(connection, name).await?;
    if swapped { Ok(comparison) } else { Err(Halt::Replaced) }
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
async fn hold(connection: &mut PgConnection, name: &str) -> Result<(), Fault> {
    // one that is stopped must not hold it back for good
    connection.execute("set idle_session_timeout = '15s'").await?;
    sqlx::query("select pg_advisory_lock(hashtextextended('hold ' || $1, 0))")
        .bind(name)
        .execute(&mut *connection)
        .await?;
    Ok(())
}

async fn release(connection: &mut PgConnection, name: &str) -> Result<(), Fault> {
    sqlx::query("select pg_advisory_unlock(hashtextextended('hold ' || $1, 0))")
        .bind(name)
        .execute(&mut *connection)
        .await?;
    connection.execute("set idle_session_timeout = 0").await?;
    Ok(())
}
