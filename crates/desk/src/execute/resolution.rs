//! From the names in a request to the ids in its commands.

use person_aggregate::{IdentityValue, PersonName as DisplayName};
use shared_kernel::{EmailAddress, PersonId};
use ticket_aggregate::{Command, Open};

use crate::names::PersonName;
use crate::request::TicketCommand;
use crate::{Desk, DeskError, UnknownName};

/// Somebody whose address leads to nobody yet: registered in the unit of the command that names them.
#[derive(Clone, Debug)]
pub(crate) struct Newcomer {
    pub(crate) id: PersonId,
    pub(crate) address: EmailAddress,
    pub(crate) name: Option<DisplayName>,
}

impl Newcomer {
    pub(crate) fn registration(&self) -> person_aggregate::Command {
        let identities = vec![IdentityValue::Email(self.address.clone())];
        person_aggregate::Command::Register { name: self.name.clone(), identities }
    }
}

/// What a request names and can't: kept, since a refusal is decided again on the newest state.
#[derive(Clone, Debug)]
pub(super) enum Unresolved {
    /// Nobody and nothing goes by that name.
    Unknown { index: usize, unknown: UnknownName },
    /// Somebody who is blocked can't ask.
    Blocked { index: usize },
}

impl TryFrom<DeskError> for Unresolved {
    type Error = DeskError;

    /// Any other error is one of the database.
    fn try_from(error: DeskError) -> Result<Self, DeskError> {
        match error {
            DeskError::UnknownName { index, unknown } => Ok(Self::Unknown { index, unknown }),
            DeskError::PersonBlocked { index } => Ok(Self::Blocked { index }),
            error => Err(error),
        }
    }
}

impl From<Unresolved> for DeskError {
    fn from(unresolved: Unresolved) -> Self {
        match unresolved {
            Unresolved::Unknown { index, unknown } => Self::UnknownName { index, unknown },
            Unresolved::Blocked { index } => Self::PersonBlocked { index },
        }
    }
}

/// The commands of a request by ids, and what else follows from the names in it.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) commands: Vec<Command>,
    pub(super) newcomers: Vec<Newcomer>,
    /// Which commands may exceed an agent's capacity.
    pub(super) over_capacity: Vec<bool>,
}

impl Resolved {
    /// `new_id` names newcomers: the same at each attempt.
    pub(super) async fn resolve(
        desk: &Desk,
        commands: &[TicketCommand],
        new_id: &mut (dyn FnMut() -> uuid::Uuid + Send + Sync),
    ) -> Result<Self, DeskError> {
        let mut resolved = Self::default();
        for (index, command) in commands.iter().enumerate() {
            let command = resolved.command(desk, index, command, new_id).await?;
            resolved.commands.push(command);
        }
        Ok(resolved)
    }

    async fn command(
        &mut self,
        desk: &Desk,
        index: usize,
        command: &TicketCommand,
        new_id: &mut (dyn FnMut() -> uuid::Uuid + Send + Sync),
    ) -> Result<Command, DeskError> {
        self.over_capacity.push(matches!(command, TicketCommand::Assign { over_capacity: true, .. }));
        let unknown = |field, name: String| DeskError::UnknownName { index, unknown: UnknownName { field, name } };
        Ok(match command {
            TicketCommand::Plain(command) => command.clone(),
            TicketCommand::Open { open, requester, team } => {
                let team = match team {
                    Some(name) => Some(desk.team_id(name).await?.ok_or_else(|| unknown("team", name.to_string()))?),
                    None => open.team,
                };
                let requester = match requester {
                    Some(name) => Some(self.asker(desk, index, name, new_id).await?),
                    None => open.requester,
                };
                Command::Open(Open { requester, team, ..open.clone() })
            }
            TicketCommand::Assign { assignee, .. } => {
                let found = desk.agent_id(assignee).await?;
                Command::Assign { assignee: found.ok_or_else(|| unknown("assignee", assignee.to_string()))? }
            }
            TicketCommand::Route { team } => {
                let found = desk.team_id(team).await?;
                Command::Route { team: found.ok_or_else(|| unknown("team", team.to_string()))? }
            }
            TicketCommand::Follow { follower } => {
                let found = desk.person_id(follower).await?;
                Command::Follow { follower: found.ok_or_else(|| unknown("follower", follower.to_string()))? }
            }
            TicketCommand::Unfollow { follower } => {
                let found = desk.person_id(follower).await?;
                Command::Unfollow { follower: found.ok_or_else(|| unknown("follower", follower.to_string()))? }
            }
            TicketCommand::ChangeRequester { requester, reason } => {
                let requester = self.asker(desk, index, requester, new_id).await?;
                Command::ChangeRequester { requester, reason: reason.clone() }
            }
        })
    }

    /// Who asks: somebody known, or somebody new with an address. A blocked one can't.
    async fn asker(
        &mut self,
        desk: &Desk,
        index: usize,
        name: &PersonName,
        new_id: &mut (dyn FnMut() -> uuid::Uuid + Send + Sync),
    ) -> Result<PersonId, DeskError> {
        if let Some(id) = desk.person_id(name).await? {
            let person = desk.people.recent(id).await?;
            if person.is_some_and(|person| person.state.blocked) {
                return Err(DeskError::PersonBlocked { index });
            }
            return Ok(id);
        }
        match name {
            PersonName::Id(id) => {
                let unknown = UnknownName { field: "requester", name: id.to_string() };
                Err(DeskError::UnknownName { index, unknown })
            }
            PersonName::Email(address, name) => {
                if let Some(known) = self.newcomers.iter().find(|known| known.address == *address) {
                    return Ok(known.id);
                }
                // a name that can't be kept is left out: the address is what counts
                let name = name.as_deref().and_then(|name| DisplayName::parse(name).ok());
                let newcomer = Newcomer { id: PersonId(new_id()), address: address.clone(), name };
                let id = newcomer.id;
                self.newcomers.push(newcomer);
                Ok(id)
            }
        }
    }
}
