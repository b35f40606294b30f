//! The records that a list's filters name.

use std::str::FromStr;

use desk::{AgentName, AsOf, DeskError, PersonName, TeamName};
use person_aggregate::Person;
use projections::{Filter, TicketQuery};
use shared_kernel::{AgentId, PersonId, TeamId};
use uuid::Uuid;

use crate::app::App;

/// What filters name, before it is looked up.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) team: Option<Filter<TeamName>>,
    pub(super) assignee: Option<Filter<AgentName>>,
    pub(super) requester: Option<PersonName>,
}

/// A name, or `none` for tickets that lack what it would name.
pub(super) fn or_none<N: FromStr<Err: ToString>>(text: &str) -> Result<Filter<N>, String> {
    if text == "none" {
        return Ok(Filter::None);
    }
    text.parse().map(Filter::Is).map_err(|error: N::Err| error.to_string())
}

impl Names {
    /// The query with the ids of what is named. Whoever and whatever is not known has no tickets.
    pub(super) async fn resolve(self, app: &App, query: TicketQuery) -> Result<TicketQuery, DeskError> {
        let team = match self.team {
            None => None,
            Some(Filter::None) => Some(Filter::None),
            Some(Filter::Is(name)) => Some(Filter::Is(app.desk.team_id(&name).await?.unwrap_or(TeamId(Uuid::nil())))),
        };
        let assignee = match self.assignee {
            None => None,
            Some(Filter::None) => Some(Filter::None),
            Some(Filter::Is(name)) => Some(Filter::Is(app.desk.agent_id(&name).await?.unwrap_or(AgentId(Uuid::nil())))),
        };
        let requester = match &self.requester {
            None => Vec::new(),
            Some(name) => people(app, name).await?,
        };
        Ok(TicketQuery { team, assignee, requester, ..query })
    }
}

/// A person, and those who were merged into them.
async fn people(app: &App, name: &PersonName) -> Result<Vec<PersonId>, DeskError> {
    let Some(id) = app.desk.person_id(name).await? else { return Ok(vec![PersonId::NOBODY]) };
    let person = app.desk.record::<Person>(id, AsOf::Now).await?;
    Ok(std::iter::once(id).chain(person.state.merged.iter().copied()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_no_name() {
        assert_eq!(or_none::<TeamName>("none"), Ok(Filter::None));
        assert_eq!(or_none::<TeamName>("it"), Ok(Filter::Is("it".parse().unwrap())));
        assert!(or_none::<TeamName>(" ").is_err());
    }
}
