//! The projector of one read model: a subscription that follows the log into the live generation, and rebuilds where
//! there is no generation of this program's schema version. Of several processes one leads; the others stand by.

use std::time::Duration;

use eventsourcing::subscription::{self, Backoff};
use eventstore::Lead;
use sqlx::Executor;

use crate::context::Context;
use crate::generations::{self, GenerationState};
use crate::rebuild;
use crate::session::{self, GenerationError, Session, SessionError};

/// How often the leader looks for a generation to follow, and for one to fill.
const LOOK: Duration = Duration::from_millis(25);
/// How often it looks whether an unreadable generation is replaced.
const REPLACED: Duration = Duration::from_millis(250);

/// Runs until it is dropped. Errors are logged, and retried with backoff.
pub(crate) async fn run(context: Context) {
    let store = context.store.clone();
    // programs of two schema versions lead side by side: the old one keeps its generation current until the new one's is
    // swapped in
    let name = format!("projection {} v{}", context.name(), context.model.schema_version());
    subscription::lead(&store, &name, move |lead, backoff| work(context.clone(), lead, backoff)).await;
}

/// Works until something goes wrong.
async fn work(context: Context, lead: Lead, backoff: Backoff) -> SessionError {
    let _reporting = Reporting(&context);
    tokio::select! {
        error = follow_live(&context, lead, &backoff) => error,
        () = rebuild_forever(&context) => GenerationError::Replaced.into(),
    }
}

/// When the leader ends, however it does, readers of this process ask the database again.
struct Reporting<'a>(&'a Context);

impl Drop for Reporting<'_> {
    fn drop(&mut self) {
        self.0.progress.stop_reporting(self.0.name());
    }
}

/// Follows the log into whichever generation is live.
async fn follow_live(context: &Context, mut lead: Lead, backoff: &Backoff) -> SessionError {
    // a batch may take longer than a request
    if let Err(error) = lead.connection().execute("set statement_timeout = '60s'").await {
        return error.into();
    }
    loop {
        lead = match follow(context, lead, backoff).await {
            Ok(lead) => lead,
            Err(error) => return error,
        };
        tokio::time::sleep(LOOK).await;
    }
}

/// Follows the log into the live generation until that is replaced. Returns at once if the live generation is of
/// another schema version, or there is none.
async fn follow(context: &Context, mut lead: Lead, backoff: &Backoff) -> Result<Lead, SessionError> {
    let (name, model) = (context.name(), context.model);
    let live = generations::live(lead.connection(), name).await?;
    let Some(live) = live.filter(|live| live.schema_version == model.schema_version()) else { return Ok(lead) };
    let mut session = session::open(context, lead, live.generation, GenerationState::Live).await?;
    context.progress.report(name, session.position());
    tracing::info!(projection = name, generation = %live.generation, position = %session.position(), "follows the log");
    match session.run(backoff).await {
        Err(SessionError::Handler(GenerationError::Replaced)) => {}
        Err(SessionError::Handler(GenerationError::UnreadableRow(reason))) => {
            replace_unreadable(context, &mut session, &reason).await?;
        }
        Err(error) => return Err(error),
        Ok(never) => match never {},
    }
    Ok(session.into_lead())
}

/// Rebuilds a live generation with a row that this program can't read, and returns when it is replaced. Until then it
/// serves, but stands still.
async fn replace_unreadable(context: &Context, session: &mut Session, reason: &str) -> Result<(), SessionError> {
    let (name, generation) = (context.name(), session.handler().generation);
    tracing::error!(projection = name, %generation, reason, "a stored row can't be read; the read model is rebuilt");
    context.progress.stop_reporting(name);
    while generations::live(session.connection(), name).await?.is_some_and(|live| live.generation == generation) {
        generations::begin(session.connection(), context.model).await?;
        tokio::time::sleep(REPLACED).await;
    }
    Ok(())
}

/// A failing rebuild must not disturb the live generation: it has a backoff of its own.
async fn rebuild_forever(context: &Context) {
    let backoff = Backoff::default();
    loop {
        match rebuild::reconcile(context).await {
            Ok(()) => backoff.reset(),
            Err(error) => {
                tracing::warn!(projection = context.name(), ?error, "a rebuild was interrupted; it will continue");
                backoff.wait().await;
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}
