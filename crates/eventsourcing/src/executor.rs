use std::fmt;
use std::future::Future;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use eventstore::{AppendError, CommandId, EventStore, Metadata, Outcome, Position, Receipt, ReceiptKey, StreamId};
use shared_kernel::Aggregate;

use crate::turns::Turns;
use crate::{AsOf, ExecuteError, Records, UnitOfWork, Versioned};

/// How often a command is decided because others changed its records in between. Only other processes can: within one,
/// commands on a stream take turns.
const ATTEMPTS: usize = 32;

/// What someone wants done: loads records into a unit of work and decides on them.
///
/// It may be asked several times for one command, each time with a new unit, because what it was decided on was stale or
/// others were faster. So it must depend on nothing but its own input and the records, and do nothing else.
pub trait UseCase: Send {
    /// The aggregate of the record that the answer is about.
    type Primary: Aggregate;
    /// Why it was not done.
    type Error: From<ExecuteError> + Send;

    /// The records of the primary aggregate.
    fn records(&self) -> &Records<Self::Primary>;

    /// The record that it is about: commands on one record take turns.
    fn primary(&self) -> <Self::Primary as Aggregate>::Id;

    /// Loads and decides.
    fn decide(&mut self, unit: &mut UnitOfWork) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// An alias that the unit was to take belongs to another stream. `Ok`: decide again, the use case takes another one or
    /// none.
    ///
    /// # Errors
    /// If there is no use in deciding again.
    fn alias_taken(&mut self, scope: String, holder: StreamId) -> impl Future<Output = Result<(), Self::Error>> + Send {
        let error = ExecuteError::Append(AppendError::AliasTaken { scope, holder });
        async { Err(error.into()) }
    }

    /// Names the command in the log: one id for each attempt to append.
    fn command_id(&mut self) -> CommandId;
}

/// An idempotency key, within the scope of whoever uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// Who uses it.
    pub scope: String,
    /// The key.
    pub key: String,
    /// A digest of all that makes the request what it is.
    pub fingerprint: Vec<u8>,
    /// What a success is answered with, to be answered again (an HTTP status).
    pub status: i16,
    /// Whether it is kept for ever: for process managers, which may see an event again after days.
    pub permanent: bool,
}

/// What goes with a command whatever it is.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    /// When it happens.
    pub now: DateTime<Utc>,
    /// Makes a repetition a replay.
    pub idempotency: Option<Idempotency>,
    /// Members of each event's metadata: actor, cause, correlation id.
    pub metadata: serde_json::Map<String, serde_json::Value>,
    /// W3C Trace Context.
    pub traceparent: Option<String>,
}

/// What a command came to.
pub struct Committed<A: Aggregate> {
    /// The primary record after it.
    pub record: Arc<Versioned<A>>,
    /// The position of that record's last event then.
    pub position: Position,
    /// How many events were recorded, on all records.
    pub events: usize,
    /// What was answered the first time, if this repeats that answer.
    pub replayed: Option<i16>,
}

impl<A: Aggregate> fmt::Debug for Committed<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { record, position, events, replayed } = self;
        write!(f, "{record:?} at {position}, {events} events, replayed: {replayed:?}")
    }
}

/// Executes use cases: load, fold, decide, append, and again on a conflict. Cheap to clone.
///
/// What is in memory may be stale. An append proves it current by its expected versions; any other end (a rejection,
/// nothing to do) is believed only after reading what came since.
#[derive(Clone, Debug)]
pub struct Executor {
    store: EventStore,
    turns: Turns,
}

impl Executor {
    /// Over an open log.
    pub fn new(store: EventStore) -> Self {
        Self { store, turns: Turns::new() }
    }

    /// Executes a use case. The answer comes once its events are committed.
    ///
    /// A repetition of an idempotency key gets the first answer again, whatever the records have become since.
    ///
    /// # Errors
    /// The use case's own error, or what went wrong in between.
    pub async fn execute<U: UseCase>(
        &self,
        use_case: &mut U,
        envelope: &Envelope,
    ) -> Result<Committed<U::Primary>, U::Error> {
        let primary = Records::<U::Primary>::stream(use_case.primary());
        let mut turns = self.turns.take([primary]).await;
        let mut fresh = false;
        for _ in 0..ATTEMPTS {
            let mut unit = UnitOfWork::new(envelope.now, fresh);
            let decided = use_case.decide(&mut unit).await;
            // a change of aliases without an event is refused by the log: it must not pass for nothing
            let records_something = !unit.is_empty() || unit.moves_aliases() || envelope.idempotency.is_some();
            if unit.is_stale() && (decided.is_err() || !records_something) {
                fresh = true;
                continue;
            }
            if let Err(error) = decided {
                return self.repeated(use_case.records(), envelope).await?.ok_or(error);
            }
            if !records_something {
                let record = unit.unchanged().ok_or(ExecuteError::Contended)?;
                return Ok(Committed { position: record.position, record, events: 0, replayed: None });
            }
            let changed = unit.changed_streams();
            if !self.turns.covers(&turns, &changed) {
                drop(turns);
                turns = self.turns.take(changed.into_iter().chain([primary])).await;
                continue;
            }
            match self.append(use_case.command_id(), &mut unit, envelope).await {
                Ok(Outcome::Appended(appended)) => return Ok(committed(unit, &appended)?),
                Ok(Outcome::Replayed(receipt)) => {
                    return Ok(self.replay(use_case.records(), envelope, &receipt).await?);
                }
                Err(ExecuteError::Append(AppendError::Conflict { .. })) => {}
                Err(ExecuteError::Append(AppendError::AliasTaken { scope, holder })) => {
                    use_case.alias_taken(scope, holder).await?;
                }
                Err(error) => return Err(error.into()),
            }
            fresh = true;
        }
        Err(ExecuteError::Contended.into())
    }

    async fn append(
        &self,
        command_id: CommandId,
        unit: &mut UnitOfWork,
        envelope: &Envelope,
    ) -> Result<Outcome, ExecuteError> {
        let mut metadata = Metadata::new(command_id);
        metadata.traceparent.clone_from(&envelope.traceparent);
        metadata.extra.clone_from(&envelope.metadata);
        let mut unit = unit.take_unit(metadata)?;
        if let Some(Idempotency { scope, key, fingerprint, status, permanent }) = &envelope.idempotency {
            let key = ReceiptKey::new(scope, key, fingerprint.clone(), *status);
            unit = unit.receipt(if *permanent { key.permanent() } else { key });
        }
        self.store.append(unit).await.map_err(ExecuteError::Append)
    }

    /// What the same request was answered before, if it was.
    async fn repeated<A: Aggregate>(
        &self,
        records: &Records<A>,
        envelope: &Envelope,
    ) -> Result<Option<Committed<A>>, ExecuteError> {
        let Some(idempotency) = &envelope.idempotency else { return Ok(None) };
        match self.store.receipt(&idempotency.scope, &idempotency.key).await? {
            Some(receipt) => self.replay(records, envelope, &receipt).await.map(Some),
            None => Ok(None),
        }
    }

    /// The answer of a retry: the stream folded to the version that the receipt names.
    async fn replay<A: Aggregate>(
        &self,
        records: &Records<A>,
        envelope: &Envelope,
        receipt: &Receipt,
    ) -> Result<Committed<A>, ExecuteError> {
        if envelope.idempotency.as_ref().is_none_or(|i| i.fingerprint != receipt.fingerprint) {
            return Err(ExecuteError::KeyReused);
        }
        let record = records.as_of(receipt.stream_id.0.into(), AsOf::Version(receipt.version)).await?;
        let record = record.ok_or_else(|| ExecuteError::Corrupt {
            stream: receipt.stream_id,
            version: receipt.version,
            reason: "a receipt names an event that is not there".to_owned(),
        })?;
        Ok(Committed { record, position: receipt.position, events: 0, replayed: Some(receipt.status) })
    }
}

fn committed<A: Aggregate>(unit: UnitOfWork, appended: &eventstore::Appended) -> Result<Committed<A>, ExecuteError> {
    let events = unit.event_count();
    let record = unit.committed::<A>(appended).ok_or(ExecuteError::Contended)?;
    Ok(Committed { position: record.position, record, events, replayed: None })
}
