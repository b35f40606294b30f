//! The use case behind every request on a record other than a ticket.

use std::sync::Arc;

use eventsourcing::{Committed, Handle, Records, UnitOfWork, UseCase, Versioned};
use eventstore::{CommandId, StreamId};
use shared_kernel::Aggregate;
use tracing::Instrument;

use crate::{AsOf, Call, Desk, DeskError, RecordRejection};

/// A record that has names: aliases of the log, each of which leads to one record only.
pub trait Named: Aggregate<Rejection: Into<RecordRejection>> {
    /// What people call such a record.
    const NOUN: &'static str = Self::TYPE;

    /// The aliases (scope, name) that a record holds.
    fn aliases(state: &Self::State) -> Vec<(&'static str, String)>;
}

/// A kind of record that the desk keeps beside tickets: a person, an agent, a setting.
pub trait Record: Named {
    /// The desk's records of that kind.
    fn records(desk: &Desk) -> &Records<Self>;

    /// What its decisions need to know beside the stream.
    fn context(id: Self::Id) -> Self::Context;
}

impl Desk {
    /// A record as it is, or was.
    ///
    /// # Errors
    /// If there is none, or it had no such version, or the database fails.
    pub async fn record<A: Record>(&self, id: A::Id, at: AsOf) -> Result<Arc<Versioned<A>>, DeskError> {
        let current = A::records(self).current(id).await?.ok_or(DeskError::NoSuchRecord { kind: A::NOUN })?;
        match at {
            AsOf::Now => Ok(current),
            past => A::records(self).as_of(id, past).await?.ok_or(DeskError::NoSuchVersion),
        }
    }

    /// Executes commands on a record, all or none.
    ///
    /// # Errors
    /// If there is none, the precondition fails, the rules refuse a command, or the database fails.
    pub async fn change<A: Record>(
        &self,
        id: A::Id,
        commands: Vec<A::Command>,
        call: Call,
    ) -> Result<Committed<A>, DeskError> {
        self.commands::<A>(id, commands, call, false).await
    }

    /// Makes a record.
    pub(crate) async fn create<A: Record>(
        &self,
        id: A::Id,
        command: A::Command,
        call: Call,
    ) -> Result<Committed<A>, DeskError> {
        self.commands::<A>(id, vec![command], call, true).await
    }

    async fn commands<A: Record>(
        &self,
        id: A::Id,
        commands: Vec<A::Command>,
        call: Call,
        creates: bool,
    ) -> Result<Committed<A>, DeskError> {
        let envelope = call.envelope();
        let span = tracing::info_span!("execute", kind = A::TYPE, record = %id);
        let mut commands = RecordCommands::<A>::new(A::records(self), id, commands, A::context(id), call, creates);
        self.executor.execute(&mut commands, &envelope).instrument(span).await
    }
}

/// Commands on one record, decided one after the other. The aliases that the record comes to hold are taken with them, those
/// that it gives up are released.
pub(crate) struct RecordCommands<'a, A: Named> {
    records: &'a Records<A>,
    id: A::Id,
    commands: Vec<A::Command>,
    context: A::Context,
    call: Call,
    creates: bool,
}

impl<'a, A: Named> RecordCommands<'a, A> {
    /// `creates`: the record need not exist.
    pub(crate) fn new(
        records: &'a Records<A>,
        id: A::Id,
        commands: Vec<A::Command>,
        context: A::Context,
        call: Call,
        creates: bool,
    ) -> Self {
        Self { records, id, commands, context, call, creates }
    }
}

impl<A: Named> UseCase for RecordCommands<'_, A> {
    type Primary = A;
    type Error = DeskError;

    fn records(&self) -> &Records<A> {
        self.records
    }

    fn primary(&self) -> A::Id {
        self.id
    }

    fn command_id(&mut self) -> CommandId {
        CommandId((self.call.new_id)())
    }

    async fn decide(&mut self, unit: &mut UnitOfWork) -> Result<(), DeskError> {
        let record = if self.creates {
            unit.create(self.records, self.id).await?
        } else {
            unit.load(self.records, self.id).await?.ok_or(DeskError::NoSuchRecord { kind: A::NOUN })?
        };
        if let Some(version) = unit.version(record) {
            self.call.precondition.check(version)?;
        }
        decide(unit, record, &self.commands, &self.context)
    }

    async fn alias_taken(&mut self, scope: String, holder: StreamId) -> Result<(), DeskError> {
        Err(DeskError::NameUsed { scope, holder })
    }
}

/// Decides commands on a record, and moves its aliases accordingly.
pub(crate) fn decide<A: Named>(
    unit: &mut UnitOfWork,
    record: Handle<A>,
    commands: &[A::Command],
    context: &A::Context,
) -> Result<(), DeskError> {
    let before = unit.state(record).map(A::aliases).unwrap_or_default();
    for (index, command) in commands.iter().enumerate() {
        unit.decide(record, command, context)
            .map_err(|rejection| DeskError::RecordRejected { index, rejection: rejection.into() })?;
    }
    let after = unit.state(record).map(A::aliases).unwrap_or_default();
    let stream = unit.stream(record);
    for (scope, name) in before.iter().filter(|alias| !after.contains(alias)) {
        unit.release_alias(*scope, name, stream);
    }
    for (scope, name) in after.iter().filter(|alias| !before.contains(alias)) {
        unit.take_alias(*scope, name, record);
    }
    Ok(())
}
