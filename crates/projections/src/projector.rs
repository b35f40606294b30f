//! The projector of one read model: follows the log into the live generation, carries out operators' requests, and
//! rebuilds where there is no generation of this program's schema version. Of several processes one leads; the others
//! stand by.

mod repair;

use std::time::Duration;

use eventstore::Lead;
use futures_util::{FutureExt, Stream, StreamExt};
use sqlx::{Connection, Executor, PgConnection};
use tokio::time::Instant;

use crate::context::Context;
use crate::generation::Generation;
use crate::generations::{self, GenerationState};
use crate::metrics::METRICS;
use crate::read_model::{EventEnvelope, ReadModel};
use crate::rebuild;
use crate::requests;
use crate::session::{Session, SessionError};

/// How often a standby tries to take the lead.
const STANDBY: Duration = Duration::from_secs(1);
/// The pauses after a database error: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// How often the leader looks for operators' requests and for generations to fill.
const LOOK: Duration = Duration::from_millis(250);
/// The most events in a batch of the live generation.
const BATCH: usize = 4_000;
/// While at least this many events come at once, the next batch starts no sooner than this after the last one: a
/// transaction for each handful costs more than the events.
const BUSY: (usize, Duration) = (4, Duration::from_millis(25));

/// Runs until it is dropped. Errors are logged, and retried with backoff.
pub(crate) async fn run(context: Context) {
    let mut pause = PAUSES.0;
    loop {
        match context.store.try_lead(&lead_name(&context)).await {
            Ok(Some(leadership)) => {
                tracing::info!(projection = context.name(), "leads");
                let error = lead(&context, leadership, &mut pause).await;
                context.progress.stop_reporting(context.name());
                tracing::warn!(projection = context.name(), ?error, "the lead is given up for now");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSES.1);
            }
            Ok(None) => tokio::time::sleep(STANDBY).await,
            Err(error) => {
                tracing::warn!(projection = context.name(), ?error, "can't ask for the lead");
                tokio::time::sleep(STANDBY).await;
            }
        }
    }
}

/// Programs of two schema versions lead side by side: the old one keeps its generation current until the new one's is
/// swapped in.
fn lead_name(context: &Context) -> String {
    format!("projection {} v{}", context.name(), context.model.schema_version())
}

/// Leads until something goes wrong.
async fn lead(context: &Context, mut leadership: Lead, pause: &mut Duration) -> SessionError {
    // a batch may take longer than a request
    if let Err(error) = leadership.connection().execute("set statement_timeout = '60s'").await {
        return error.into();
    }
    let live = async {
        loop {
            match follow(context, leadership.connection(), pause).await {
                Ok(()) | Err(SessionError::Replaced) => tokio::time::sleep(LOOK / 10).await,
                Err(error) => break error,
            }
        }
    };
    let rebuilds = async {
        let mut pause = PAUSES.0;
        loop {
            // a failing rebuild must not disturb the live generation
            match rebuild::reconcile(context).await {
                Ok(()) => pause = PAUSES.0,
                Err(error) => {
                    tracing::warn!(projection = context.name(), ?error, "a rebuild was interrupted; it will continue");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
            tokio::time::sleep(LOOK / 10).await;
        }
    };
    tokio::select! {
        error = live => error,
        () = rebuilds => SessionError::LeadershipLost,
    }
}

/// Follows the log into the live generation until that is replaced. Returns at once if the live generation is of
/// another schema version, or there is none.
async fn follow(context: &Context, connection: &mut PgConnection, pause: &mut Duration) -> Result<(), SessionError> {
    let (name, model) = (context.name(), context.model);
    let live = generations::live(&mut *connection, name).await?;
    let Some(live) = live.filter(|live| live.schema_version == model.schema_version()) else { return Ok(()) };
    let mut session = Session::open(model, live.generation, GenerationState::Live, connection).await?;
    context.progress.report(name, session.position);
    tracing::info!(projection = name, generation = %live.generation, position = %session.position, "follows the log");
    let mut log = std::pin::pin!(context.store.follow(session.position));
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut due = Instant::now();
    loop {
        let next = async {
            tokio::time::sleep_until(due).await;
            next_batch(&mut log, model).await
        };
        let step = tokio::select! {
            events = next => {
                // the log ends when the store is closed
                let Some(events) = events else { return std::future::pending().await };
                let began = Instant::now();
                due = if events.len() < BUSY.0 { began } else { began + BUSY.1 };
                let applied = session.apply(connection, &events).await;
                if applied.is_ok() {
                    METRICS.applied(name, events.len());
                    context.progress.report(name, session.position);
                    *pause = PAUSES.0;
                }
                applied
            }
            _ = look.tick() => handle_operator_requests(context, &mut session, connection).await,
        };
        match step {
            Err(SessionError::UnreadableRow(reason)) => {
                return replace_unreadable(context, connection, session.generation, &reason).await;
            }
            step => step?,
        }
    }
}

/// Rebuilds a live generation with a row that this program can't read, and returns when it is replaced. Until then it
/// serves, but stands still.
async fn replace_unreadable(
    context: &Context,
    connection: &mut PgConnection,
    generation: Generation,
    reason: &str,
) -> Result<(), SessionError> {
    let name = context.name();
    tracing::error!(projection = name, %generation, reason, "a stored row can't be read; the read model is rebuilt");
    context.progress.stop_reporting(name);
    while generations::live(&mut *connection, name).await?.is_some_and(|live| live.generation == generation) {
        generations::begin(&mut *connection, context.model).await?;
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Carries out operators' requests, and checks that the generation still serves.
async fn handle_operator_requests(
    context: &Context,
    session: &mut Session,
    connection: &mut PgConnection,
) -> Result<(), SessionError> {
    for request in requests::waiting(&mut *connection, context.name()).await? {
        // an event that is still to be read may park the stream
        if !session.parked.contains_key(&request.stream) && session.position < context.store.head().await? {
            continue;
        }
        let outcome = repair::carry_out(&context.store, session, connection, &request).await?;
        requests::answer(&mut *connection, request.id, &outcome).await?;
        tracing::info!(
            projection = context.name(),
            stream = %request.stream,
            by = request.by,
            outcome = outcome.text,
            "carried out an operator's request"
        );
    }
    let mut tx = connection.begin().await?;
    session.claim(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

/// The next events of the log: waits for one, and takes all that are there already, up to a batch. `None`: the store is
/// closed.
async fn next_batch(
    log: &mut (impl Stream<Item = eventstore::Chunk> + Unpin),
    model: &dyn ReadModel,
) -> Option<Vec<EventEnvelope>> {
    let mut chunk = log.next().await?;
    let mut events = Vec::with_capacity(chunk.len());
    loop {
        events.extend(chunk.iter().map(|event| EventEnvelope::open(model, event)));
        if events.len() + chunk.len() > BATCH {
            return Some(events);
        }
        match log.next().now_or_never() {
            Some(Some(more)) => chunk = more,
            Some(None) | None => return Some(events),
        }
    }
}
