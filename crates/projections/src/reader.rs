//! The readers' side: what the API asks of the read models.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use eventstore::{Position, StoreError, StreamId};
use futures_util::future::BoxFuture;
use sqlx::PgPool;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::error::ReadError;
use crate::generations::{self, Generation};
use crate::projection::Projection;
use crate::queues::{self, Queues};
use crate::reached::Reached;
use crate::requests::{self, Action, Outcome};
use crate::status::{self, Status};
use crate::tickets::{self, Place, Seer, TicketQuery, TicketRow};
use crate::{PROJECTIONS, secret};

/// How often it is looked for an operator's answer, and for a first generation.
const LOOK: Duration = Duration::from_millis(50);
/// How often a query is asked again because another generation took the place of the one that it was asked of.
const SWAPS: usize = 10;

/// From which position on an answer is wanted, and how long to wait for it.
#[derive(Clone, Copy, Debug)]
pub struct AtLeast {
    /// Zero: whatever there is.
    pub position: Position,
    /// How long.
    pub wait: Duration,
}

/// A page of the list, and the position it was read at.
#[derive(Clone, Debug)]
pub struct TicketsPage {
    /// How far the log was read.
    pub position: Position,
    /// The tickets.
    pub items: Vec<TicketRow>,
    /// Where the next page begins; none after the last.
    pub next: Option<String>,
}

/// Reads the read models. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader {
    pool: PgPool,
    reached: Reached,
    live: Arc<RwLock<HashMap<&'static str, Generation>>>,
    secret: Arc<OnceCell<Vec<u8>>>,
}

impl Reader {
    pub(crate) fn new(pool: PgPool, reached: Reached) -> Self {
        Self { pool, reached, live: Arc::default(), secret: Arc::default() }
    }

    /// A page of the tickets' list.
    pub async fn tickets(&self, query: &TicketQuery, at_least: AtLeast) -> Result<TicketsPage, ReadError> {
        let secret = self.secret.get_or_try_init(|| secret::get(&self.pool, "tickets cursor")).await?;
        let list = query.list();
        let after = match &query.cursor {
            Some(cursor) => Some(Place::open(cursor, secret, &list).ok_or(ReadError::InvalidCursor)?),
            None => None,
        };
        let page = self
            .ask(
                "tickets",
                at_least,
                |page: &tickets::Page| page.position,
                |generation| Box::pin(tickets::page(&self.pool, generation, query, after)),
            )
            .await?;
        let next = page.next.map(|place| place.seal(secret, &list));
        Ok(TicketsPage { position: page.position, items: page.items, next })
    }

    /// The queues that one sees.
    pub async fn queues(&self, seer: &Seer, at_least: AtLeast) -> Result<Queues, ReadError> {
        self.ask(
            "queues",
            at_least,
            |queues: &Queues| queues.position,
            |generation| Box::pin(queues::read(&self.pool, generation, seer)),
        )
        .await
    }

    /// Asks the live generation, as soon as it has come far enough. A generation that has been replaced answers
    /// nothing, or can't be asked any more: then it is looked which one it is now.
    async fn ask<'a, T>(
        &'a self,
        name: &'static str,
        at_least: AtLeast,
        position: impl Fn(&T) -> Position,
        query: impl Fn(Generation) -> BoxFuture<'a, Result<Option<T>, ReadError>>,
    ) -> Result<T, ReadError> {
        let deadline = Instant::now() + at_least.wait;
        let mut known = None;
        let mut swaps = 0;
        loop {
            if at_least.position > Position(0) && !self.reached.wait(name, at_least.position, deadline).await {
                return Err(ReadError::Behind { position: known });
            }
            let generation = self.live(name, deadline).await?;
            match query(generation).await {
                Ok(Some(answer)) if position(&answer) >= at_least.position => return Ok(answer),
                // a database that was set back: what it had reached it has not any more
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
                    if generations::live(&self.pool, name).await?.is_some_and(|live| live.generation == generation) {
                        return Err(error);
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

    /// The generation that serves, as far as is known; where there is none yet, one is waited for.
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

    /// How the projections are.
    pub async fn status(&self) -> Result<Vec<Status>, StoreError> {
        status::all(&self.pool).await
    }

    /// Begins a rebuild, which a leader carries out, or finds the one that is under way; its generation. `None`: there
    /// is no such projection.
    pub async fn rebuild(&self, name: &str) -> Result<Option<i32>, StoreError> {
        let Some(projection) = find(name) else { return Ok(None) };
        loop {
            generations::begin(&self.pool, projection).await?;
            if let Some(building) = generations::building(&self.pool, name).await? {
                return Ok(Some(building.generation.0));
            }
            // it was so fast that it serves already
            if let Some(live) = generations::live(&self.pool, name).await? {
                return Ok(Some(live.generation.0));
            }
        }
    }

    /// Asks a projection's leader to take a parked stream up again, and waits for its answer. The outer `None`: there
    /// is no such projection; an inner one: nobody answered in time.
    pub async fn repair(
        &self,
        name: &str,
        stream: StreamId,
        action: &Action,
        by: &str,
        wait: Duration,
    ) -> Result<Option<Option<Outcome>>, StoreError> {
        if find(name).is_none() {
            return Ok(None);
        }
        let id = requests::ask(&self.pool, name, stream, action, by).await?;
        let deadline = Instant::now() + wait;
        while Instant::now() < deadline {
            if let Some(outcome) = requests::outcome(&self.pool, id).await? {
                return Ok(Some(Some(outcome)));
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(Some(None))
    }
}

fn find(name: &str) -> Option<&'static dyn Projection> {
    PROJECTIONS.iter().copied().find(|projection| projection.name() == name)
}
