//! People: registering, merging. What changes one person alone is [`Desk::change`].

use std::collections::BTreeSet;

use eventsourcing::{Committed, Records, UnitOfWork, UseCase};
use eventstore::{CommandId, StreamId};
use person_aggregate::{Command, Context, IdentityValue, Person, PersonName};
use shared_kernel::{EmailAddress, PersonId};

use crate::execute::record::{Named, Record, decide};
use crate::{Call, Desk, DeskError};

impl Named for Person {
    fn aliases(person: &Self) -> Vec<(&'static str, String)> {
        person.aliases().collect()
    }
}

impl Record for Person {
    fn records(desk: &Desk) -> &Records<Self> {
        &desk.people
    }

    fn context(person_id: PersonId) -> Context {
        Context { person_id }
    }
}

impl Desk {
    /// Registers a person.
    ///
    /// # Errors
    /// [`DeskError::NameUsed`] if one of the identities belongs to somebody else.
    pub async fn register_person(
        &self,
        id: PersonId,
        name: Option<PersonName>,
        identities: Vec<IdentityValue>,
        call: Call,
    ) -> Result<Committed<Person>, DeskError> {
        self.create::<Person>(id, Command::Register { name, identities }, call).await
    }

    /// The person with an address, who is registered if there is none. Whoever registers it first: all get the same one.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn ensure_person(
        &self,
        address: &EmailAddress,
        name: Option<PersonName>,
        call: Call,
    ) -> Result<PersonId, DeskError> {
        let named = crate::PersonName::Email(address.clone(), None);
        if let Some(known) = self.person_id(&named).await? {
            return Ok(known);
        }
        let mut call = call;
        let id = PersonId((call.new_id)());
        match self.register_person(id, name, vec![IdentityValue::Email(address.clone())], call).await {
            Ok(_) => Ok(id),
            Err(error) if error.is_of_another_registration() => {
                self.person_id(&named).await?.ok_or(DeskError::Contended)
            }
            Err(error) => Err(error),
        }
    }

    /// Merges a person into another one: from then on the other sees and is what this one did.
    ///
    /// # Errors
    /// If one of them isn't there, or was merged away before.
    pub async fn merge_people(
        &self,
        source: PersonId,
        into: PersonId,
        call: Call,
    ) -> Result<Committed<Person>, DeskError> {
        let envelope = call.envelope();
        let mut merge = MergePeople { people: &self.people, source, into, call };
        self.executor.execute(&mut merge, &envelope).await
    }
}

struct MergePeople<'a> {
    people: &'a Records<Person>,
    source: PersonId,
    into: PersonId,
    call: Call,
}

impl UseCase for MergePeople<'_> {
    type Primary = Person;
    type Error = DeskError;

    fn records(&self) -> &Records<Person> {
        self.people
    }

    fn primary(&self) -> PersonId {
        self.source
    }

    fn command_id(&mut self) -> CommandId {
        CommandId((self.call.new_id)())
    }

    async fn decide(&mut self, unit: &mut UnitOfWork) -> Result<(), DeskError> {
        let missing = DeskError::NoSuchRecord { kind: "person" };
        let source = unit.load(self.people, self.source).await?.ok_or(missing)?;
        if let Some(version) = unit.version(source) {
            self.call.precondition.check(version)?;
        }
        let includes = unit.state(source).map_or_else(BTreeSet::new, |person| person.merged.clone());
        let context = Context { person_id: self.source };
        decide(unit, source, &[Command::MergeInto { into: self.into }], &context)?;
        let unknown = crate::UnknownName { field: "into", name: self.into.to_string() };
        let target = unit.load(self.people, self.into).await?;
        let target = target.ok_or(DeskError::UnknownName { index: 0, unknown })?;
        let context = Context { person_id: self.into };
        decide(unit, target, &[Command::ReceiveMerge { source: self.source, includes }], &context)
    }

    async fn alias_taken(&mut self, scope: String, holder: StreamId) -> Result<(), DeskError> {
        Err(DeskError::NameUsed { scope, holder })
    }
}
