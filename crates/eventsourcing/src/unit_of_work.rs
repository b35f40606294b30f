use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use eventstore::{Append, Appended, Expected, Metadata, Position, StreamId, Unit, Version};
use shared_kernel::Aggregate;

use crate::{ExecuteError, Records, Versioned, codec};

/// Decisions on several records, to be appended as one unit: all or nothing.
///
/// A record is loaded once and then decided on as often as needed; each decision sees what the ones before it left. A
/// stream that is decided on twice is one append. One that was only read can be demanded: the unit is accepted only if
/// it is still at the version that was read.
pub struct UnitOfWork {
    now: DateTime<Utc>,
    fresh: bool,
    stale: bool,
    primary: Option<usize>,
    records: Vec<Box<dyn StagedRecord>>,
    takes: Vec<(String, String, usize)>,
    releases: Vec<(String, String, StreamId)>,
}

/// A record that a unit of work has loaded.
pub struct Handle<A: Aggregate>(usize, PhantomData<fn() -> A>);

impl<A: Aggregate> Clone for Handle<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A: Aggregate> Copy for Handle<A> {}

impl<A: Aggregate> fmt::Debug for Handle<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", A::TYPE, self.0)
    }
}

impl fmt::Debug for UnitOfWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnitOfWork").field("now", &self.now).field("streams", &self.streams()).finish_non_exhaustive()
    }
}

impl UnitOfWork {
    /// `fresh`: states are read from the log, not believed from memory.
    pub(crate) fn new(now: DateTime<Utc>, fresh: bool) -> Self {
        // as the log keeps it, or a state in memory would not be the fold of what was recorded
        let now = DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now);
        let (primary, records, takes, releases) = (None, Vec::new(), Vec::new(), Vec::new());
        Self { now, fresh, stale: false, primary, records, takes, releases }
    }

    /// The time at which the record's events of this unit happen: the caller's, but never before the record's last event.
    /// A clock that lags behind another process's, or an import of the past, must not make a stream's time run backwards.
    pub fn time<A: Aggregate>(&self, record: Handle<A>) -> DateTime<Utc> {
        self.get(record).time
    }

    /// Loads a record. `None`: there is none of this aggregate with that id.
    ///
    /// The first record that is loaded is the unit's primary one: a receipt points at it, and its state is the answer.
    ///
    /// # Errors
    /// If the database fails, or an event can't be read.
    pub async fn load<A: Aggregate>(
        &mut self,
        records: &Records<A>,
        id: A::Id,
    ) -> Result<Option<Handle<A>>, ExecuteError> {
        let handle = self.stage(records, id).await?;
        Ok(self.version(handle).map(|_| handle))
    }

    /// Stages a record that need not exist: the decision sees no state if it doesn't.
    ///
    /// # Errors
    /// If the database fails, or an event can't be read.
    pub async fn stage<A: Aggregate>(&mut self, records: &Records<A>, id: A::Id) -> Result<Handle<A>, ExecuteError> {
        let stream = Records::<A>::stream(id);
        // an id that names a record of another type is none of this one
        let mut staged = self.records.iter();
        if let Some(index) = staged.position(|it| it.stream() == stream && it.as_any().is::<Staged<A>>()) {
            return Ok(Handle(index, PhantomData));
        }
        let cached = if self.fresh { None } else { records.cached(id) };
        self.stale |= cached.is_some();
        let before = match cached {
            Some(cached) => Some(cached),
            None => records.current(id).await?,
        };
        Ok(self.push(records, id, before))
    }

    /// Stages a record with a new id, without looking for it: if it does exist, that is a conflict at the append, and
    /// the next attempt sees it.
    ///
    /// # Errors
    /// If the database fails, or an event can't be read.
    pub async fn create<A: Aggregate>(&mut self, records: &Records<A>, id: A::Id) -> Result<Handle<A>, ExecuteError> {
        if self.fresh { self.stage(records, id).await } else { Ok(self.push(records, id, None)) }
    }

    fn push<A: Aggregate>(&mut self, records: &Records<A>, id: A::Id, before: Option<Arc<Versioned<A>>>) -> Handle<A> {
        let time = before.as_ref().map_or(self.now, |before| self.now.max(before.occurred_at));
        let state = before.as_ref().map(|before| before.state.clone());
        let staged = Staged { records: records.clone(), id, before, state, time, events: Vec::new(), demanded: false };
        self.records.push(Box::new(staged));
        Handle(self.records.len() - 1, PhantomData)
    }

    /// Makes a record the unit's primary one.
    pub fn set_primary<A: Aggregate>(&mut self, record: Handle<A>) {
        self.primary = Some(record.0);
    }

    /// The record as it was loaded.
    pub fn loaded<A: Aggregate>(&self, record: Handle<A>) -> Option<&Arc<Versioned<A>>> {
        self.get(record).before.as_ref()
    }

    /// The record's stream.
    pub fn stream<A: Aggregate>(&self, record: Handle<A>) -> StreamId {
        StagedRecord::stream(self.get(record))
    }

    /// The version at which the record was loaded.
    pub fn version<A: Aggregate>(&self, record: Handle<A>) -> Option<Version> {
        self.loaded(record).map(|before| before.version)
    }

    /// The state that the decisions so far leave.
    pub fn state<A: Aggregate>(&self, record: Handle<A>) -> Option<&A::State> {
        self.get(record).state.as_ref()
    }

    /// Decides a command on the state that the decisions before it left, and stages its events. Says how many.
    ///
    /// The record is demanded: that there was nothing to record may be true only of what is in memory.
    ///
    /// # Errors
    /// The aggregate's rejection.
    pub fn decide<A: Aggregate>(
        &mut self,
        record: Handle<A>,
        command: &A::Command,
        context: &A::Context,
    ) -> Result<usize, A::Rejection> {
        let staged = self.get_mut(record);
        let events = A::decide(staged.state.as_ref(), command, context)?;
        let count = events.len();
        staged.demanded = true;
        for event in events {
            let stamp = codec::stamp(staged.next_version(), staged.time);
            staged.state = A::evolve(staged.state.take(), &event, &stamp);
            staged.events.push(event);
        }
        Ok(count)
    }

    /// Demands that the record is still at the version at which it was loaded when the unit is appended. One that is
    /// decided on is demanded anyway.
    pub fn demand<A: Aggregate>(&mut self, record: Handle<A>) {
        self.get_mut(record).demanded = true;
    }

    /// Gives a record an alias: a second name, unique in its scope. Taken by another one, it ends in
    /// [`crate::UseCase::alias_taken`]. The unit must hold an event of the record that says so: the log refuses it otherwise.
    pub fn take_alias<A: Aggregate>(&mut self, scope: impl Into<String>, name: impl Into<String>, record: Handle<A>) {
        self.takes.push((scope.into(), name.into(), record.0));
    }

    /// Takes an alias from the record that holds it. The unit must hold an event.
    pub fn release_alias(&mut self, scope: impl Into<String>, name: impl Into<String>, holder: StreamId) {
        self.releases.push((scope.into(), name.into(), holder));
    }

    fn get<A: Aggregate>(&self, record: Handle<A>) -> &Staged<A> {
        let staged: &dyn Any = self.records[record.0].as_any();
        staged.downcast_ref().expect("a handle of this unit names a record of its own aggregate")
    }

    fn get_mut<A: Aggregate>(&mut self, record: Handle<A>) -> &mut Staged<A> {
        let staged: &mut dyn Any = self.records[record.0].as_any_mut();
        staged.downcast_mut().expect("a handle of this unit names a record of its own aggregate")
    }

    /// Whether a state was believed from memory.
    pub(crate) fn is_stale(&self) -> bool {
        self.stale
    }

    /// Whether no events are to be recorded.
    pub(crate) fn is_empty(&self) -> bool {
        self.event_count() == 0
    }

    /// Whether an alias is to be taken or released.
    pub(crate) fn moves_aliases(&self) -> bool {
        !self.takes.is_empty() || !self.releases.is_empty()
    }

    pub(crate) fn event_count(&self) -> usize {
        self.records.iter().map(|staged| staged.event_count()).sum()
    }

    fn streams(&self) -> Vec<StreamId> {
        self.records.iter().map(|staged| staged.stream()).collect()
    }

    /// The existing streams that are to be appended to: those that commands take turns on.
    pub(crate) fn changed_streams(&self) -> Vec<StreamId> {
        let existing = self.records.iter().filter(|staged| staged.event_count() > 0 && staged.expected().0 > 0);
        existing.map(|staged| staged.stream()).collect()
    }

    fn primary_index(&self) -> usize {
        self.primary.unwrap_or(0)
    }

    /// The log's unit: the primary record's events first, then the others', then the demands.
    pub(crate) fn take_unit(&mut self, metadata: Metadata) -> Result<Unit, ExecuteError> {
        let primary = self.primary_index();
        let mut unit = Unit::new(metadata).append(self.records[primary].take_append()?);
        for (index, staged) in self.records.iter_mut().enumerate() {
            if index == primary {
                continue;
            }
            if staged.event_count() > 0 {
                unit = unit.append(staged.take_append()?);
            } else if staged.is_demanded() {
                unit = unit.demand(staged.stream(), staged.expected());
            }
        }
        for (scope, name, holder) in self.releases.drain(..) {
            unit = unit.release_alias(scope, name, holder);
        }
        for (scope, name, record) in self.takes.drain(..) {
            unit = unit.take_alias(scope, name, self.records[record].stream());
        }
        Ok(unit)
    }

    /// Folds what was appended into the records' caches, and gives the primary record.
    pub(crate) fn committed<A: Aggregate>(mut self, appended: &Appended) -> Option<Arc<Versioned<A>>> {
        let primary = self.primary_index();
        // events stand in the log in the order of the unit's appends
        let mut position = appended.first.unwrap_or_default();
        let order = std::iter::once(primary).chain((0..self.records.len()).filter(|index| *index != primary));
        for index in order.collect::<Vec<_>>() {
            self.records[index].commit(&mut position);
        }
        self.get::<A>(Handle(primary, PhantomData)).before.clone()
    }

    /// The primary record as it was loaded.
    pub(crate) fn unchanged<A: Aggregate>(&self) -> Option<Arc<Versioned<A>>> {
        self.get::<A>(Handle(self.primary_index(), PhantomData)).before.clone()
    }
}

/// A record of any aggregate.
trait StagedRecord: Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
    fn stream(&self) -> StreamId;
    fn expected(&self) -> Version;
    fn event_count(&self) -> usize;
    fn is_demanded(&self) -> bool;
    fn take_append(&mut self) -> Result<Append, ExecuteError>;
    /// `position` is that of the record's first event, and of the next record's afterwards.
    fn commit(&mut self, position: &mut Position);
}

struct Staged<A: Aggregate> {
    records: Records<A>,
    id: A::Id,
    before: Option<Arc<Versioned<A>>>,
    state: Option<A::State>,
    /// When the events happen.
    time: DateTime<Utc>,
    events: Vec<A::Event>,
    demanded: bool,
}

impl<A: Aggregate> Staged<A> {
    fn before_version(&self) -> Version {
        self.before.as_ref().map_or(Version(0), |before| before.version)
    }

    fn next_version(&self) -> Version {
        let events = i64::try_from(self.events.len()).expect("a unit is of bounded size");
        Version(self.before_version().0 + events + 1)
    }
}

impl<A: Aggregate> StagedRecord for Staged<A> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn stream(&self) -> StreamId {
        Records::<A>::stream(self.id)
    }

    fn expected(&self) -> Version {
        self.before_version()
    }

    fn event_count(&self) -> usize {
        self.events.len()
    }

    fn is_demanded(&self) -> bool {
        self.demanded
    }

    fn take_append(&mut self) -> Result<Append, ExecuteError> {
        let events = self.events.iter().map(|event| codec::encode(event, self.time)).collect::<Result<_, _>>()?;
        let expected = Expected::Exact(self.before_version());
        Ok(Append::new(codec::stream_type::<A>(), self.stream(), expected, events))
    }

    fn commit(&mut self, position: &mut Position) {
        if self.events.is_empty() {
            return;
        }
        let last = Version(self.next_version().0 - 1);
        let before = self.before_version();
        let at = Position(position.0 + last.0 - before.0 - 1);
        *position = Position(at.0 + 1);
        let Some(state) = self.state.take() else { return };
        let record = Arc::new(Versioned { id: self.id, version: last, position: at, occurred_at: self.time, state });
        self.records.keep(before, &record);
        self.before = Some(record);
    }
}
