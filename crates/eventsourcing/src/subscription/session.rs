//! Hands the log to a handler. Each batch is one transaction that also moves the checkpoint, so that each event is applied
//! exactly once, whatever crashes and when.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::time::Duration;

use eventstore::{
    EventStore, Lead, Position, StoreError, StreamId, Subscription, SubscriptionError, SubscriptionOptions,
};
use futures_util::future::BoxFuture;
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, MissedTickBehavior};

use super::handler::{ApplyError, Content, Envelope, Handler, LogEvent};
use super::leader::Backoff;
use super::metrics::METRICS;
use super::parking::{self, Parked};
use super::{repair, requests};
use crate::failpoints;

/// The bounds of a batch.
const BATCH: (usize, usize) = (4_000, 8 * 1024 * 1024);
/// While at least this many events come at once, the next batch starts no sooner than this after the last one: a
/// transaction for each handful costs more than the events.
const BUSY: (usize, Duration) = (4, Duration::from_millis(25));
/// How often the leader looks for operators' requests, and whether the handler still claims its place.
const LOOK: Duration = Duration::from_millis(250);
/// How often the gauges are updated.
const MEASURE: Duration = Duration::from_secs(2);

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
pub enum SessionError<E> {
    /// The handler can't go on.
    #[error(transparent)]
    Handler(E),
    /// The leadership is lost, the store is closed, or the database failed. Nothing of the last batch is committed, unless
    /// the connection was lost at the commit.
    #[error(transparent)]
    Subscription(SubscriptionError),
}

impl<E> From<SubscriptionError> for SessionError<E> {
    fn from(error: SubscriptionError) -> Self {
        Self::Subscription(error)
    }
}

impl<E> From<StoreError> for SessionError<E> {
    fn from(error: StoreError) -> Self {
        Self::Subscription(error.into())
    }
}

impl<E> From<sqlx::Error> for SessionError<E> {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

/// An effect that was prepared elsewhere.
type Prepared<E> = Box<dyn for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<(), ApplyError<E>>> + Send>;

/// What a transaction does beside moving the checkpoint.
enum Work<'a, H: Handler> {
    Events(&'a [H::Event]),
    Prepared(Prepared<H::Error>),
}

/// Why an attempt to apply some events failed.
enum Failure<E> {
    /// This event can't be applied.
    NotApplicable { position: Position, reason: String },
    /// The database refused the data of an unknown one of them.
    Data(String),
    /// No event is to blame.
    Session(SessionError<E>),
}

impl<E, F: Into<SessionError<E>>> From<F> for Failure<E> {
    fn from(error: F) -> Self {
        Self::Session(error.into())
    }
}

/// A subscription of a handler that leads.
#[derive(Debug)]
pub struct Session<H: Handler> {
    pub(super) store: EventStore,
    pub(super) subscription: Subscription,
    pub(super) handler: H,
    pub(super) parked: HashMap<StreamId, Parked>,
    pub(super) skips: HashSet<Position>,
}

impl<H: Handler> Session<H> {
    /// Goes on at the checkpoint; one that is missing is made, at the beginning of the log. All events of the log are read,
    /// so that the checkpoint stays close to its end; the handler selects.
    ///
    /// # Errors
    /// Faults of the database.
    pub async fn open(store: &EventStore, lead: Lead, checkpoint: &str, handler: H) -> Result<Self, SubscriptionError> {
        let options = SubscriptionOptions::new().max_events(BATCH.0).max_bytes(BATCH.1);
        let mut subscription = store.subscribe_as(lead, checkpoint, options).await?;
        let parked = parking::parked(subscription.connection(), checkpoint).await?;
        let skips = parking::skips(subscription.connection(), handler.name()).await?;
        Ok(Self { store: store.clone(), subscription, handler, parked, skips })
    }

    /// The position up to which everything is handled.
    pub fn position(&self) -> Position {
        self.subscription.position()
    }

    /// The streams that are passed over.
    pub fn parked(&self) -> &HashMap<StreamId, Parked> {
        &self.parked
    }

    /// The events that are left out.
    pub fn skips(&self) -> &HashSet<Position> {
        &self.skips
    }

    /// The handler.
    pub fn handler(&self) -> &H {
        &self.handler
    }

    /// The connection that holds the leadership.
    pub fn connection(&mut self) -> &mut PgConnection {
        self.subscription.connection()
    }

    /// Ends the session and keeps the leadership.
    pub fn into_lead(self) -> Lead {
        self.subscription.into_lead()
    }

    /// Follows the log and carries out operators' requests, until something goes wrong.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn run(&mut self, backoff: &Backoff) -> Result<Infallible, SessionError<H::Error>> {
        let _measured = Measured(self.handler.name().to_owned());
        let mut look = tokio::time::interval(LOOK);
        let mut measure = tokio::time::interval(MEASURE);
        for interval in [&mut look, &mut measure] {
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        let mut due = Instant::now();
        loop {
            let next = async {
                tokio::time::sleep_until(due).await;
                self.subscription.next().await
            };
            tokio::select! {
                batch = next => {
                    let events: Vec<_> = batch?.events.iter().map(|event| Envelope::open(&self.handler, event)).collect();
                    let began = Instant::now();
                    due = if events.len() < BUSY.0 { began } else { began + BUSY.1 };
                    self.apply(&events).await?;
                    backoff.reset();
                }
                _ = look.tick() => self.look().await?,
                _ = measure.tick() => self.measure().await,
            }
        }
    }

    /// Applies the next events of the log. An event that can't be applied is found by halving the batch, and parks its
    /// stream; all others are applied.
    ///
    /// # Errors
    /// If no event is to blame. A part of the events may be applied.
    pub async fn apply(&mut self, events: &[Envelope<H::Event>]) -> Result<(), SessionError<H::Error>> {
        let mut todo = vec![events];
        while let Some(events) = todo.pop() {
            let (Some(first), Some(last)) = (events.first(), events.last()) else { continue };
            match self.advance(events, None, last.position).await {
                Ok(()) => {}
                Err(Failure::Session(error)) => return Err(error),
                Err(Failure::Data(_)) if events.len() > 1 => {
                    let (before, after) = events.split_at(events.len() / 2);
                    todo.extend([after, before]);
                    continue;
                }
                Err(Failure::Data(reason) | Failure::NotApplicable { reason, .. }) => {
                    let culprit = first.parked(reason);
                    let parked = self.advance(&[], Some(culprit), last.position).await;
                    if let Err(Failure::Session(error)) = parked {
                        return Err(error);
                    }
                }
            }
            self.handler.handled(last.position, events.len());
        }
        Ok(())
    }

    /// Commits an effect that was prepared elsewhere from the next events, none of which is to be parked or passed over.
    /// `false`: the database refused its data, and nothing is committed.
    ///
    /// # Errors
    /// If no event is to blame.
    pub async fn commit_prepared(
        &mut self,
        effect: impl for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<(), ApplyError<H::Error>>>
        + Send
        + 'static,
        through: Position,
    ) -> Result<bool, SessionError<H::Error>> {
        self.handler.rolled_back();
        match self.transact(Work::Prepared(Box::new(effect)), &HashMap::new(), through).await {
            Ok(()) => Ok(true),
            Err(Failure::Session(error)) => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// Carries out operators' requests, and checks that the handler still claims its place.
    async fn look(&mut self) -> Result<(), SessionError<H::Error>> {
        let name = self.handler.name().to_owned();
        for request in requests::waiting(self.connection(), &name).await? {
            // an event that is still to be read may park the stream
            if !self.parked.contains_key(&request.stream) && self.position() < self.store.head().await? {
                continue;
            }
            let outcome = repair::carry_out(self, &request).await?;
            requests::answer(self.connection(), request.id, &outcome).await?;
            let (stream, by, outcome) = (request.stream, request.by, outcome.text);
            tracing::info!(subscription = name, %stream, by, outcome, "carried out an operator's request");
        }
        let Self { subscription, handler, .. } = self;
        let mut transaction = subscription.connection().begin().await?;
        handler.claim(&mut transaction).await?;
        Ok(transaction.commit().await?)
    }

    async fn measure(&mut self) {
        match self.store.head().await {
            Ok(head) => {
                let lag = head.0.saturating_sub(self.position().0).max(0).unsigned_abs();
                METRICS.record(self.handler.name(), lag, self.parked.len());
            }
            Err(error) => tracing::debug!(%error, "the lag can't be measured"),
        }
    }

    /// One transaction: the events' effect, newly parked streams, and the checkpoint's move.
    async fn advance(
        &mut self,
        events: &[Envelope<H::Event>],
        culprit: Option<Parked>,
        through: Position,
    ) -> Result<(), Failure<H::Error>> {
        let mut stopped: HashMap<StreamId, Parked> = culprit.map(|c| (c.stream, c)).into_iter().collect();
        let mut decoded = self.applicable(events, &mut stopped);
        loop {
            match self.transact(Work::Events(&decoded), &stopped, through).await {
                Ok(()) => break,
                Err(Failure::NotApplicable { position, reason }) => {
                    // all later events of its stream are passed over from here on
                    let Some(found) = events.iter().find(|event| event.position == position) else {
                        return Err(Failure::Data(reason));
                    };
                    decoded.retain(|event| event.stream() != found.stream || event.position() < position);
                    stopped.insert(found.stream, found.parked(reason));
                }
                Err(failure) => return Err(failure),
            }
        }
        for parked in stopped.into_values() {
            tracing::error!(
                subscription = self.handler.name(),
                stream = %parked.stream,
                position = %parked.position,
                error = parked.error,
                "an event can't be applied; its stream is parked"
            );
            self.parked.insert(parked.stream, parked);
        }
        Ok(())
    }

    async fn transact(
        &mut self,
        work: Work<'_, H>,
        stopped: &HashMap<StreamId, Parked>,
        through: Position,
    ) -> Result<(), Failure<H::Error>> {
        let checkpoint = self.subscription.name().to_owned();
        let Self { subscription, handler, .. } = self;
        let mut transaction = subscription.begin().await?;
        handler.claim(transaction.connection()).await?;
        let done = match work {
            Work::Events([]) => Ok(()),
            Work::Events(events) => handler.apply(transaction.connection(), events).await,
            Work::Prepared(effect) => effect(transaction.connection()).await,
        };
        if let Err(error) = done {
            handler.rolled_back();
            transaction.rollback().await?;
            return Err(classify(error));
        }
        for parked in stopped.values() {
            parking::park(transaction.connection(), &checkpoint, parked).await?;
        }
        failpoints::BEFORE_COMMIT.reached();
        transaction.commit(through).await?;
        failpoints::COMMITTED.reached();
        Ok(())
    }

    /// The events to apply. Streams with an undecodable event are added to `stopped`; parked streams and skipped events
    /// are passed over.
    fn applicable(&self, events: &[Envelope<H::Event>], stopped: &mut HashMap<StreamId, Parked>) -> Vec<H::Event> {
        let mut decoded = Vec::with_capacity(events.len());
        for event in events {
            let passed_over = self.parked.contains_key(&event.stream)
                || stopped.contains_key(&event.stream)
                || self.skips.contains(&event.position);
            match &event.content {
                Content::Decoded(event) if !passed_over => decoded.push(event.clone()),
                Content::Undecodable(error) if !passed_over => {
                    stopped.insert(event.stream, event.parked(error.clone()));
                }
                _ => {}
            }
        }
        decoded
    }
}

/// A process that does not lead reports no lag.
struct Measured(String);

impl Drop for Measured {
    fn drop(&mut self) {
        METRICS.record(&self.0, 0, 0);
    }
}

fn classify<E>(error: ApplyError<E>) -> Failure<E> {
    match error {
        ApplyError::NotApplicable { position, reason } => Failure::NotApplicable { position, reason },
        ApplyError::Handler(error) => Failure::Session(SessionError::Handler(error)),
        ApplyError::Database(error) if is_data_error(&error) => Failure::Data(error.to_string()),
        ApplyError::Database(error) => error.into(),
    }
}

/// Whether the database refused the data, rather than the statement or the moment. Only then an event is to blame;
/// anything else would park one stream after another for a fault of the program or the server.
pub(super) fn is_data_error(error: &sqlx::Error) -> bool {
    // 21 cardinality, 22 data exception, 23 integrity, 54 program limit exceeded
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| ["21", "22", "23", "54"].iter().any(|class| code.starts_with(class)))
}
