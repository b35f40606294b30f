//! Filling one generation, batch by batch: each in one transaction that also moves the cursor, so that each
//! event is applied exactly once, whatever dies when.

use std::collections::{HashMap, HashSet};

use eventstore::{Checkpoint, Position, StoreError, StreamId};
use sqlx::{Connection, PgConnection};

use crate::failpoints;
use crate::generations::Generation;
use crate::parked::{self, Parked};
use crate::projection::{ApplyError, Changes, Content, Fact, Incoming, Projection, Writer};

/// The state in which a generation must be for it to be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It serves; a rebuild that takes its place holds it back meanwhile.
    Live,
    /// It is being filled.
    Building,
}

/// Why a session came to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Halt {
    /// The generation has another state by now.
    #[error("the generation was replaced")]
    Replaced,
    /// Somebody else moved the cursor: the lead is lost, and what was made is not committed.
    #[error("somebody else moved the cursor")]
    Overtaken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for Halt {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// How an attempt at some events failed.
enum Failure {
    /// For this one of them.
    Unfit {
        position: Position,
        reason: String,
    },
    /// For what is in one of them, it is not known which.
    Data(String),
    Halt(Halt),
}

impl<E: Into<Halt>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Halt(error.into())
    }
}

/// What a transaction writes.
enum Work<'a> {
    Facts(&'a [Fact]),
    Folded(Option<Box<dyn Changes>>),
}

/// A generation that is being written to, and what the writer knows of it.
pub(crate) struct Session {
    pub(crate) projection: &'static dyn Projection,
    pub(crate) generation: Generation,
    pub(crate) position: Position,
    pub(crate) parked: HashMap<StreamId, Parked>,
    pub(crate) skips: HashSet<Position>,
    role: Role,
    cursor: String,
    writer: Box<dyn Writer>,
}

impl Session {
    /// Goes on where the cursor stands.
    pub(crate) async fn open(
        projection: &'static dyn Projection,
        generation: Generation,
        role: Role,
        connection: &mut PgConnection,
    ) -> Result<Self, StoreError> {
        let cursor = generation.cursor(projection.name());
        Ok(Self {
            position: Checkpoint::position(&mut *connection, &cursor).await?,
            parked: parked::all(&mut *connection, projection.name(), generation).await?,
            skips: parked::skips(&mut *connection, projection.name()).await?,
            writer: projection.writer(generation),
            projection,
            generation,
            role,
            cursor,
        })
    }

    /// Applies the events that come next in the log. One that can't be applied is found by halving, and parks
    /// its stream; all others are applied.
    pub(crate) async fn apply(&mut self, connection: &mut PgConnection, events: &[Incoming]) -> Result<(), Halt> {
        let mut todo = vec![events];
        while let Some(events) = todo.pop() {
            let (Some(first), Some(last)) = (events.first(), events.last()) else { continue };
            match self.advance(connection, events, None, last.position).await {
                Ok(()) => {}
                Err(Failure::Halt(halt)) => return Err(halt),
                Err(Failure::Data(_)) if events.len() > 1 => {
                    let (before, after) = events.split_at(events.len() / 2);
                    todo.extend([after, before]);
                }
                Err(Failure::Data(reason) | Failure::Unfit { reason, .. }) => {
                    let culprit = stopped_at(first, reason);
                    if let Err(Failure::Halt(halt)) = self.advance(connection, &[], Some(culprit), last.position).await
                    {
                        return Err(halt);
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes what another writer has folded of the events that come next, none of which is to be parked or passed over.
    /// The session's own writer forgets what it knew. `false`: nothing was written, because the database refused what is in it.
    pub(crate) async fn take(
        &mut self,
        connection: &mut PgConnection,
        changes: Option<Box<dyn Changes>>,
        to: Position,
    ) -> Result<bool, Halt> {
        self.writer.forget();
        match self.transact(connection, Work::Folded(changes), &HashMap::new(), to).await {
            Ok(()) => self.position = to,
            Err(Failure::Halt(halt)) => return Err(halt),
            Err(_) => return Ok(false),
        }
        Ok(true)
    }

    /// One transaction: what the events mean, who is parked, and the cursor's move.
    async fn advance(
        &mut self,
        connection: &mut PgConnection,
        events: &[Incoming],
        culprit: Option<Parked>,
        to: Position,
    ) -> Result<(), Failure> {
        let mut stopped: HashMap<StreamId, Parked> = culprit.map(|c| (c.stream, c)).into_iter().collect();
        let mut facts = self.facts(events, &mut stopped);
        loop {
            match self.transact(connection, Work::Facts(&facts), &stopped, to).await {
                Ok(()) => break,
                Err(Failure::Unfit { position, reason }) => {
                    // all of its stream's later events are passed over from here on
                    let Some(found) = events.iter().find(|event| event.position == position) else {
                        return Err(Failure::Data(reason));
                    };
                    facts.retain(|fact| fact.stream != found.stream || fact.position < position);
                    stopped.insert(found.stream, stopped_at(found, reason));
                }
                Err(failure) => return Err(failure),
            }
        }
        for parked in stopped.into_values() {
            tracing::error!(
                projection = self.projection.name(),
                stream = %parked.stream,
                position = %parked.position,
                error = parked.error,
                "an event can't be applied: its stream is parked"
            );
            self.parked.insert(parked.stream, parked);
        }
        self.position = to;
        Ok(())
    }

    async fn transact(
        &mut self,
        connection: &mut PgConnection,
        work: Work<'_>,
        stopped: &HashMap<StreamId, Parked>,
        to: Position,
    ) -> Result<(), Failure> {
        let mut tx = connection.begin().await?;
        self.claim(&mut tx).await?;
        let done = match work {
            Work::Facts([]) | Work::Folded(None) => Ok(()),
            Work::Facts(facts) => self.writer.apply(&mut tx, facts).await,
            Work::Folded(Some(changes)) => changes.write(&mut tx).await,
        };
        if let Err(error) = done {
            self.writer.forget();
            tx.rollback().await?;
            return Err(judged(error));
        }
        for parked in stopped.values() {
            parked::park(&mut *tx, self.projection.name(), self.generation, parked).await?;
        }
        if !Checkpoint::advance(&mut *tx, &self.cursor, self.position, to).await? {
            return Err(Failure::Halt(Halt::Overtaken));
        }
        failpoints::BEFORE_COMMIT.reached();
        tx.commit().await?;
        failpoints::COMMITTED.reached();
        Ok(())
    }

    /// That the generation is still to be written to, until the transaction's end.
    pub(crate) async fn claim(&self, connection: &mut PgConnection) -> Result<(), Halt> {
        let name = self.projection.name();
        if self.role == Role::Live {
            // a rebuild that wants to take its place holds this one back
            sqlx::query("select pg_advisory_xact_lock_shared(hashtextextended('hold ' || $1, 0))")
                .bind(name)
                .execute(&mut *connection)
                .await?;
        }
        let state = if self.role == Role::Live { "live" } else { "building" };
        let there: Option<i32> = sqlx::query_scalar(
            "select 1 from read_models.generations where name = $1 and generation = $2 and state = $3",
        )
        .bind(name)
        .bind(self.generation.0)
        .bind(state)
        .fetch_optional(connection)
        .await?;
        there.map(drop).ok_or(Halt::Replaced)
    }

    /// What is to be applied. What can't be read is noted as stopped; what is parked or left out is passed over.
    fn facts(&self, events: &[Incoming], stopped: &mut HashMap<StreamId, Parked>) -> Vec<Fact> {
        let mut facts = Vec::with_capacity(events.len());
        for event in events {
            let passed_over = self.parked.contains_key(&event.stream)
                || stopped.contains_key(&event.stream)
                || self.skips.contains(&event.position);
            match &event.content {
                Content::Fact(fact) if !passed_over => facts.push(Fact::clone(fact)),
                Content::Unreadable(error) if !passed_over => {
                    stopped.insert(event.stream, stopped_at(event, error.clone()));
                }
                _ => {}
            }
        }
        facts
    }

    /// The writer, for what is done to one stream out of turn (`projector/repair.rs`).
    pub(crate) fn writer(&mut self) -> &mut dyn Writer {
        &mut *self.writer
    }
}

fn stopped_at(event: &Incoming, error: String) -> Parked {
    Parked { stream: event.stream, position: event.position, version: event.version, error }
}

fn judged(error: ApplyError) -> Failure {
    match error {
        ApplyError::Unfit { position, reason } => Failure::Unfit { position, reason },
        ApplyError::Database(error) if is_for_data(&error) => Failure::Data(error.to_string()),
        ApplyError::Database(error) => error.into(),
    }
}

/// Whether the database refused what was to be written, and not the statement or the moment: only then is an event
/// to blame. Anything else would park one stream after the other for a fault of ours.
pub(crate) fn is_for_data(error: &sqlx::Error) -> bool {
    // 21 cardinality, 22 data exception, 23 integrity, 54 program limit exceeded
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| ["21", "22", "23", "54"].iter().any(|class| code.starts_with(class)))
}
