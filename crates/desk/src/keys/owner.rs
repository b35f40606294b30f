//! As whom a key acts, and what they may do now.

use std::sync::Arc;

use shared_kernel::{Actor, PersonId, Principal};

use super::record::KeyState;
use super::{AuthError, KeyId, Keys, Owner, Scope};
use crate::DeskError;
use eventsourcing::Versioned;
use person_aggregate::Person;

/// How many people one may have been merged into one after the other.
const LONGEST_TRAIL: usize = 100;

/// How old what is known of a record may be.
#[derive(Clone, Copy)]
enum Age {
    /// As the log has it.
    Current,
    /// See [`eventsourcing::RECENT`].
    Recent,
}

impl Keys {
    /// Who calls with a key: its owner, with the teams and the name that they have at this moment.
    pub(super) async fn principal(&self, id: &KeyId, key: &KeyState) -> Result<Arc<Principal>, AuthError> {
        let mut principal = match key.owner {
            Owner::Agent(agent_id) => {
                let agent = self.agents.current(agent_id).await?.ok_or(AuthError::Invalid)?;
                let person = self.person(agent.state.person, Age::Current).await?;
                let actor = Actor::staff(key.role, agent_id, person.id);
                Principal { teams: agent.state.teams.clone(), ..of(actor, &person)? }
            }
            Owner::Person(person) => {
                let person = self.person(person, Age::Current).await?;
                of(Actor::requester(person.id), &person)?
            }
        };
        principal.key = Some(id.to_string());
        principal.acts_for_others = key.scopes.contains(&Scope::ActForOthers);
        Ok(Arc::new(principal))
    }

    /// A person who asks, on whose behalf the owner of a key acts.
    ///
    /// # Errors
    /// If the person is blocked, or not there.
    pub async fn on_behalf(&self, caller: &Principal, person: PersonId) -> Result<Principal, AuthError> {
        let person = self.person(person, Age::Recent).await?;
        let mut principal = of(Actor::requester(person.id), &person)?;
        principal.actor.via.clone_from(&caller.key);
        principal.key.clone_from(&caller.key);
        Ok(principal)
    }

    /// The person who stands for this one by now.
    async fn person(&self, mut id: PersonId, age: Age) -> Result<Arc<Versioned<Person>>, AuthError> {
        for _ in 0..LONGEST_TRAIL {
            let person = match age {
                Age::Current => self.people.current(id).await?,
                Age::Recent => self.people.recent(id).await?,
            };
            let person = person.ok_or(AuthError::Invalid)?;
            match person.state.merged_into {
                Some(into) => id = into,
                None => return Ok(person),
            }
        }
        Err(AuthError::Invalid)
    }

    /// The owner's name and teams, for a list.
    pub(super) async fn describe(&self, owner: Owner) -> Result<(String, Vec<shared_kernel::TeamId>), DeskError> {
        match owner {
            Owner::Agent(id) => {
                let agent = self.agents.current(id).await?;
                let described =
                    agent.map(|agent| (agent.state.handle.to_string(), agent.state.teams.iter().copied().collect()));
                Ok(described.unwrap_or_else(|| (id.to_string(), Vec::new())))
            }
            Owner::Person(id) => {
                let person = self.people.current(id).await?;
                let address = person.and_then(|person| person.state.primary_email().map(|(_, it)| it.to_string()));
                Ok((address.unwrap_or_else(|| id.to_string()), Vec::new()))
            }
        }
    }
}

fn of(mut actor: Actor, person: &Versioned<Person>) -> Result<Principal, AuthError> {
    if person.state.blocked {
        return Err(AuthError::Blocked);
    }
    actor.merged.clone_from(&person.state.merged);
    Ok(Principal { name: person.state.name.as_ref().map(ToString::to_string), ..Principal::new(actor) })
}
