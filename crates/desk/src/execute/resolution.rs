//! From the names in a request to the ids in its commands.

use person_aggregate::{IdentityValue, PersonName as DisplayName};
use shared_kernel::{EmailAddress, PersonId, Principal};
use ticket_aggregate::{Command, Open, Rejection};
use uuid::Uuid;

use crate::names::PersonName;
use crate::request::{Request, TicketCommand};
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

/// The commands of a request by ids, and what else follows from the names in it.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) commands: Vec<Command>,
    pub(super) newcomers: Vec<Newcomer>,
}

impl Resolved {
    /// The request's `new_id` names newcomers.
    pub(super) async fn resolve(desk: &Desk, request: &mut Request) -> Result<Self, DeskError> {
        let Request { commands, call, .. } = request;
        let mut resolution = Resolution { desk, caller: &call.caller, new_id: &mut call.new_id, newcomers: Vec::new() };
        let mut resolved = Vec::with_capacity(commands.len());
        for (index, command) in commands.iter().enumerate() {
            resolved.push(resolution.command(index, command).await?);
        }
        Ok(Self { commands: resolved, newcomers: resolution.newcomers })
    }
}

struct Resolution<'a> {
    desk: &'a Desk,
    caller: &'a Principal,
    new_id: &'a mut (dyn FnMut() -> Uuid + Send + Sync),
    newcomers: Vec<Newcomer>,
}

impl Resolution<'_> {
    async fn command(&mut self, index: usize, command: &TicketCommand) -> Result<Command, DeskError> {
        let desk = self.desk;
        let unknown = |field, name: String| DeskError::UnknownName { index, unknown: UnknownName { field, name } };
        Ok(match command {
            TicketCommand::Plain(command) => command.clone(),
            TicketCommand::Open { open, requester, team } => {
                let requester = match requester {
                    Some(name) if self.caller.is_staff() => Some(self.asker(index, name).await?),
                    Some(name) => Some(self.themselves(index, name).await?),
                    None => open.requester,
                };
                let team = match team {
                    Some(name) if self.caller.is_staff() => {
                        Some(desk.team_id(name).await?.ok_or_else(|| unknown("team", name.to_string()))?)
                    }
                    Some(_) => {
                        let rejection = Rejection::ReservedForStaff { field: "team" };
                        return Err(DeskError::Rejected { index, rejection });
                    }
                    None => open.team,
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
                let requester = self.asker(index, requester).await?;
                Command::ChangeRequester { requester, reason: reason.clone() }
            }
        })
    }

    /// A requester opens for themselves. Whoever else is named: whether they are known or blocked is not for them to learn.
    async fn themselves(&self, index: usize, name: &PersonName) -> Result<PersonId, DeskError> {
        let named = self.desk.person_id(name).await?;
        let another = DeskError::Rejected { index, rejection: Rejection::OpenForAnother };
        named.filter(|person| self.caller.is(*person)).ok_or(another)
    }

    /// Who asks: somebody known, or somebody new with an address. A blocked one can't.
    async fn asker(&mut self, index: usize, name: &PersonName) -> Result<PersonId, DeskError> {
        if let Some(id) = self.desk.person_id(name).await? {
            let person = self.desk.people.recent(id).await?;
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
                let newcomer = Newcomer { id: PersonId((self.new_id)()), address: address.clone(), name };
                let id = newcomer.id;
                self.newcomers.push(newcomer);
                Ok(id)
            }
        }
    }
}
