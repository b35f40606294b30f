//! Reads the read models: finds the live generation, waits for a position, survives swaps. The queries themselves are in
//! the models' folders.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use eventsourcing::subscription::{self, Action, Outcome};
use eventstore::{Position, StoreError, StreamId};
use futures_util::future::BoxFuture;
use sqlx::PgPool;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::error::ReadError;
use crate::generation::Generation;
use crate::generations::{self, GenerationInfo};
use crate::progress::Progress;
use crate::read_model::ReadModel;
use crate::registry::Registry;
use crate::secret;
use crate::status::{self, Status};

/// How often to look for the answer to an operator's request, and for a first generation.
const LOOK: Duration = Duration::from_millis(50);
/// How often a query is repeated at once because its generation was replaced.
const SWAPS: usize = 10;

/// The position that an answer must include, and how long to wait for it.
#[derive(Clone, Copy, Debug)]
pub struct AtLeast {
    /// Zero: any.
    pub position: Position,
    /// How long to wait.
    pub wait: Duration,
}

/// Reads the read models. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader {
    pool: PgPool,
    progress: Progress,
    models: Models,
    live: Arc<RwLock<HashMap<&'static str, Generation>>>,
    secret: Arc<OnceCell<Vec<u8>>>,
}

impl Reader {
    pub(crate) fn new(pool: PgPool, progress: Progress, models: Registry) -> Self {
        Self { pool, progress, models: Models(models), live: Arc::default(), secret: Arc::default() }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The secret that page cursors are sealed with.
    pub(crate) async fn cursor_secret(&self) -> Result<&[u8], StoreError> {
        Ok(self.secret.get_or_try_init(|| secret::get(&self.pool, "page cursors")).await?)
    }

    /// Queries the live generation of a model once it has read far enough. A generation that was replaced answers
    /// nothing, or its tables are gone: the query is then repeated on the new one.
    pub(crate) async fn query<'a, T>(
        &'a self,
        model: &'static dyn ReadModel,
        at_least: AtLeast,
        position: impl Fn(&T) -> Position,
        query: impl Fn(Generation) -> BoxFuture<'a, Result<Option<T>, ReadError>>,
    ) -> Result<T, ReadError> {
        let name = model.name();
        let deadline = Instant::now() + at_least.wait;
        let mut known = None;
        let mut swaps = 0;
        loop {
            if at_least.position > Position(0) && !self.progress.wait_for(name, at_least.position, deadline).await {
                return Err(ReadError::Behind { position: known });
            }
            let generation = self.live(name, deadline).await?;
            match query(generation).await {
                Ok(Some(answer)) if position(&answer) >= at_least.position => return Ok(answer),
                // the database was restored to an earlier state
                Ok(Some(answer)) => {
                    known = Some(position(&answer));
                    if Instant::now() >= deadline {
                        return Err(ReadError::Behind { position: known });
                    }
                    tokio::time::sleep(LOOK).await;
                }
                Ok(None) => self.forget(name),
                Err(error) => {
                    self.forget(name);
                    let live = generations::live(&self.pool, name).await?;
                    if let Some(live) = live.filter(|live| live.generation == generation) {
                        return Err(self.explain(error, model, live).await);
                    }
                }
            }
            swaps += 1;
            if swaps > SWAPS {
                if Instant::now() >= deadline {
                    return Err(ReadError::Behind { position: known });
                }
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// The live generation, cached; waits for one while the model is built for the first time.
    async fn live(&self, name: &'static str, deadline: Instant) -> Result<Generation, ReadError> {
        if let Some(known) = self.live.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Ok(*known);
        }
        loop {
            if let Some(live) = generations::live(&self.pool, name).await? {
                self.live.write().unwrap_or_else(PoisonError::into_inner).insert(name, live.generation);
                return Ok(live.generation);
            }
            if Instant::now() >= deadline {
                return Err(ReadError::Behind { position: None });
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn forget(&self, name: &'static str) {
        self.live.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// The state of all read models.
    pub async fn status(&self) -> Result<Vec<Status>, StoreError> {
        status::all(&self.pool).await
    }

    /// Begins a rebuild, which the leader carries out, and returns its generation; if one is under way already, that one's.
    /// `None`: there is no such read model.
    pub async fn rebuild(&self, name: &str) -> Result<Option<i32>, StoreError> {
        let Some(model) = self.find(name) else { return Ok(None) };
        loop {
            generations::begin(&self.pool, model).await?;
            if let Some(building) = generations::building(&self.pool, name).await? {
                return Ok(Some(building.generation.0));
            }
            // it is live already
            if let Some(live) = generations::live(&self.pool, name).await? {
                return Ok(Some(live.generation.0));
            }
        }
    }

    /// Asks the leader to retry or skip the event that parked a stream, and waits for the outcome. The outer `None`: there
    /// is no such read model; the inner one: nobody answered in time.
    pub async fn repair(
        &self,
        name: &str,
        stream: StreamId,
        action: &Action,
        by: &str,
        wait: Duration,
    ) -> Result<Option<Option<Outcome>>, StoreError> {
        if self.find(name).is_none() {
            return Ok(None);
        }
        let id = subscription::ask(&self.pool, name, stream, action, by).await?;
        let deadline = Instant::now() + wait;
        while Instant::now() < deadline {
            if let Some(outcome) = subscription::outcome(&self.pool, id).await? {
                return Ok(Some(Some(outcome)));
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(Some(None))
    }

    fn find(&self, name: &str) -> Option<&'static dyn ReadModel> {
        self.models.0.iter().copied().find(|model| model.name() == name)
    }

    /// A row that can't be read is a reason to rebuild, unless another version of the program has written it.
    async fn explain(&self, error: ReadError, model: &dyn ReadModel, live: GenerationInfo) -> ReadError {
        let ReadError::UnreadableRow(reason) = &error else { return error };
        let (name, generation) = (model.name(), live.generation);
        if live.schema_version == model.schema_version() {
            tracing::error!(projection = name, %generation, reason, "a stored row can't be read; the read model is rebuilt");
            if let Err(error) = generations::begin(&self.pool, model).await {
                return error.into();
            }
        }
        error
    }
}

#[derive(Clone, Copy)]
struct Models(Registry);

impl fmt::Debug for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|model| model.name())).finish()
    }
}
