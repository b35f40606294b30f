//! Agents: registering. What changes one agent alone is [`Desk::change`].

use agent_aggregate::{Agent, Command};
use eventsourcing::{Committed, Records, UnitOfWork, UseCase};
use eventstore::{CommandId, StreamId};
use person_aggregate::{IdentityValue, Person, PersonName};
use shared_kernel::{AgentId, EmailAddress, Handle, PersonId, TeamId};

use crate::execute::record::{Named, Record, decide};
use crate::{AgentName, Call, Desk, DeskError};

impl Named for Agent {
    fn aliases(agent: &Self) -> Vec<(&'static str, String)> {
        agent.aliases()
    }
}

impl Record for Agent {
    fn records(desk: &Desk) -> &Records<Self> {
        &desk.agents
    }

    fn context(_: AgentId) {}
}

/// An agent to be registered.
#[derive(Clone, Debug)]
pub struct NewAgent {
    /// The name that people and programs use; never changes.
    pub handle: Handle,
    /// The person that they are; a new one, if none.
    pub person: Option<PersonId>,
    /// The new person's name.
    pub name: Option<PersonName>,
    /// The new person's address.
    pub email: Option<EmailAddress>,
    /// How much they take on at once; unlimited, if none.
    pub capacity: Option<u32>,
    /// The teams that they join.
    pub teams: Vec<TeamId>,
}

impl NewAgent {
    /// One of whom nothing but the handle is known.
    pub fn named(handle: Handle) -> Self {
        let name = PersonName::parse(handle.as_str()).ok();
        Self { handle, person: None, name, email: None, capacity: None, teams: Vec::new() }
    }
}

impl Desk {
    /// Registers an agent and, if they are nobody yet, the person that they are.
    ///
    /// # Errors
    /// [`DeskError::NameUsed`] if the handle or the address belongs to somebody else.
    pub async fn register_agent(&self, agent: NewAgent, mut call: Call) -> Result<Committed<Agent>, DeskError> {
        let (id, person) = (AgentId((call.new_id)()), PersonId((call.new_id)()));
        let envelope = call.envelope();
        let mut register = RegisterAgent { desk: self, id, new_person: person, agent, call };
        self.executor.execute(&mut register, &envelope).await
    }

    /// The agent with a handle, who is registered if there is none and joins these teams.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn ensure_agent(&self, agent: NewAgent, mut call: impl FnMut() -> Call) -> Result<AgentId, DeskError> {
        let name = AgentName::Handle(agent.handle.clone());
        let teams = agent.teams.clone();
        let known = match self.agent_id(&name).await? {
            Some(known) => known,
            None => match self.register_agent(agent, call()).await {
                Ok(done) => return Ok(done.record.id),
                Err(error) if error.is_of_another_registration() => {
                    self.agent_id(&name).await?.ok_or(DeskError::Contended)?
                }
                Err(error) => return Err(error),
            },
        };
        let record = self.agents.current(known).await?;
        let missing = |team: &TeamId| record.as_ref().is_none_or(|record| !record.state.teams.contains(team));
        let joins: Vec<_> = teams.into_iter().filter(missing).map(|team| Command::JoinTeam { team }).collect();
        if !joins.is_empty() {
            self.change::<Agent>(known, joins, call()).await?;
        }
        Ok(known)
    }
}

struct RegisterAgent<'a> {
    desk: &'a Desk,
    id: AgentId,
    new_person: PersonId,
    agent: NewAgent,
    call: Call,
}

impl RegisterAgent<'_> {
    async fn known_person(&self, unit: &mut UnitOfWork, id: PersonId) -> Result<PersonId, DeskError> {
        let known = unit.load(&self.desk.people, id).await?;
        let unknown = crate::UnknownName { field: "person", name: id.to_string() };
        unit.demand(known.ok_or(DeskError::UnknownName { index: 0, unknown })?);
        Ok(id)
    }

    async fn register_person(&self, unit: &mut UnitOfWork) -> Result<PersonId, DeskError> {
        let NewAgent { name, email, .. } = &self.agent;
        let person = unit.create(&self.desk.people, self.new_person).await?;
        let identities = email.iter().cloned().map(IdentityValue::Email).collect();
        let register = person_aggregate::Command::Register { name: name.clone(), identities };
        decide(unit, person, &[register], &Person::context(self.new_person))?;
        Ok(self.new_person)
    }
}

impl UseCase for RegisterAgent<'_> {
    type Primary = Agent;
    type Error = DeskError;

    fn records(&self) -> &Records<Agent> {
        &self.desk.agents
    }

    fn primary(&self) -> AgentId {
        self.id
    }

    fn command_id(&mut self) -> CommandId {
        CommandId((self.call.new_id)())
    }

    async fn decide(&mut self, unit: &mut UnitOfWork) -> Result<(), DeskError> {
        let agent = unit.create(&self.desk.agents, self.id).await?;
        let person = match self.agent.person {
            Some(person) => self.known_person(unit, person).await?,
            None => self.register_person(unit).await?,
        };
        let NewAgent { handle, capacity, teams, .. } = &self.agent;
        let register = Command::Register { handle: handle.clone(), person, capacity: *capacity };
        let joins = teams.iter().map(|team| Command::JoinTeam { team: *team });
        let commands: Vec<_> = std::iter::once(register).chain(joins).collect();
        decide(unit, agent, &commands, &())
    }

    async fn alias_taken(&mut self, scope: String, holder: StreamId) -> Result<(), DeskError> {
        Err(DeskError::NameUsed { scope, holder })
    }
}
