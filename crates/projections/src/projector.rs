//! A projection's leader: follows the log into the live generation, does what operators ask, and sees to it that
//! there is a generation of this program's schema. Of several processes one leads; the others stand by.

mod repair;

use std::time::Duration;

use eventstore::{EventStore, Lead, Position, StoreError};
use futures_util::{FutureExt, Stream, StreamExt};
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tokio::time::Instant;

use crate::generations::{self, Generation};
use crate::metrics::METRICS;
use crate::projection::{Incoming, Projection};
use crate::reached::Reached;
use crate::rebuild;
use crate::requests;
use crate::session::{Halt, Role, Session};

/// How often one that stands by looks whether it may lead.
const STANDBY: Duration = Duration::from_secs(1);
/// The pauses after a fault of the database: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// How often the leader looks for what operators ask, and for generations to be filled.
const LOOK: Duration = Duration::from_millis(250);
/// How many events a batch of the live generation holds at the most.
const BATCH: usize = 4_000;
/// While so many events come at once, the next batch begins no sooner than this after the one before: a transaction
/// for each handful costs more than the events.
const BUSY: (usize, Duration) = (4, Duration::from_millis(25));

/// One projection in one process. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Projector {
    pub(crate) store: EventStore,
    pub(crate) pool: PgPool,
    pub(crate) projection: &'static dyn Projection,
    pub(crate) reached: Reached,
}

impl Projector {
    /// Never ends: what goes wrong is told, and tried again.
    pub(crate) async fn run(self) {
        let mut pause = PAUSES.0;
        loop {
            match self.store.try_lead(&self.lead_name()).await {
                Ok(Some(lead)) => {
                    tracing::info!(projection = self.name(), "leads");
                    let error = self.lead(lead, &mut pause).await;
                    self.reached.tells_no_more(self.name());
                    tracing::warn!(projection = self.name(), ?error, "the lead is given up for now");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
                Ok(None) => tokio::time::sleep(STANDBY).await,
                Err(error) => {
                    tracing::warn!(projection = self.name(), ?error, "the lead can't be asked for");
                    tokio::time::sleep(STANDBY).await;
                }
            }
        }
    }

    fn name(&self) -> &'static str {
        self.projection.name()
    }

    /// Programs of two schemas lead beside each other: the old one serves until the new one's generation is filled.
    fn lead_name(&self) -> String {
        format!("projection {} v{}", self.name(), self.projection.schema_version())
    }

    /// Leads until something goes wrong.
    async fn lead(&self, mut lead: Lead, pause: &mut Duration) -> Halt {
        // a batch is larger than what a request may ask for
        if let Err(error) = lead.connection().execute("set statement_timeout = '60s'").await {
            return error.into();
        }
        let live = async {
            loop {
                match self.follow(lead.connection(), pause).await {
                    Err(Halt::Replaced) => {}
                    Err(halt) => break halt,
                    Ok(()) => tokio::time::sleep(LOOK / 10).await,
                }
            }
        };
        let rebuilds = async {
            let mut pause = PAUSES.0;
            loop {
                // what goes wrong with a rebuild must not disturb the one that serves
                match rebuild::tend(self).await {
                    Ok(()) => pause = PAUSES.0,
                    Err(error) => {
                        tracing::warn!(projection = self.name(), ?error, "a rebuild was interrupted; it will go on");
                        tokio::time::sleep(pause).await;
                        pause = (pause * 2).min(PAUSES.1);
                    }
                }
                tokio::time::sleep(LOOK / 10).await;
            }
        };
        tokio::select! {
            halt = live => halt,
            () = rebuilds => Halt::Overtaken,
        }
    }

    /// Follows the log into the live generation, until that is replaced. Returns at once where there is none of this
    /// program's schema.
    async fn follow(&self, connection: &mut PgConnection, pause: &mut Duration) -> Result<(), Halt> {
        let live = generations::live(&mut *connection, self.name()).await?;
        let Some(live) = live.filter(|live| live.schema_version == self.projection.schema_version()) else {
            return Ok(());
        };
        let mut session = Session::open(self.projection, live.generation, Role::Live, connection).await?;
        self.reached.tell(self.name(), session.position);
        tracing::info!(projection = self.name(), generation = %live.generation, position = %session.position, "follows the log");
        let mut log = std::pin::pin!(self.store.follow(session.position));
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut due = Instant::now();
        loop {
            let next = async {
                tokio::time::sleep_until(due).await;
                some(&mut log, self.projection).await
            };
            tokio::select! {
                events = next => {
                    // a log that has ended is a store that is closed
                    let Some(events) = events else { return std::future::pending().await };
                    let began = Instant::now();
                    due = if events.len() < BUSY.0 { began } else { began + BUSY.1 };
                    session.apply(connection, &events).await?;
                    METRICS.applied(self.name(), events.len());
                    self.reached.tell(self.name(), session.position);
                    *pause = PAUSES.0;
                }
                _ = look.tick() => self.attend(&mut session, connection).await?,
            }
        }
    }

    /// What operators ask; and whether the generation still is the one that serves.
    async fn attend(&self, session: &mut Session, connection: &mut PgConnection) -> Result<(), Halt> {
        for request in requests::waiting(&mut *connection, self.name()).await? {
            // what is not parked may be, by what is still to be read
            if !session.parked.contains_key(&request.stream) && session.position < self.store.head().await? {
                continue;
            }
            let outcome = repair::carry_out(&self.store, session, connection, &request).await?;
            requests::answer(&mut *connection, request.id, &outcome).await?;
            tracing::info!(projection = self.name(), stream = %request.stream, by = request.by, outcome = outcome.text, "an operator's request");
        }
        let mut tx = connection.begin().await?;
        session.claim(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// What comes next in the log, and all that is there already, up to a batch; `None` where the log has ended.
async fn some(
    log: &mut (impl Stream<Item = eventstore::Chunk> + Unpin),
    projection: &dyn Projection,
) -> Option<Vec<Incoming>> {
    let mut chunk = log.next().await?;
    let mut events = Vec::with_capacity(chunk.len());
    loop {
        events.extend(chunk.iter().map(|event| Incoming::read(projection, event)));
        if events.len() + chunk.len() > BATCH {
            return Some(events);
        }
        match log.next().now_or_never() {
            Some(Some(more)) => chunk = more,
            Some(None) | None => return Some(events),
        }
    }
}

/// The position of the live generation, if there is one.
pub(crate) async fn live_position(
    connection: &mut PgConnection,
    name: &str,
) -> Result<Option<(Generation, Position)>, StoreError> {
    let Some(live) = generations::live(&mut *connection, name).await? else { return Ok(None) };
    let position = eventstore::Checkpoint::position(connection, &live.generation.cursor(name)).await?;
    Ok(Some((live.generation, position)))
}
