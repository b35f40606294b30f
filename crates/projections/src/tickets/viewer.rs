//! Who reads a list of tickets.

use shared_kernel::{AgentId, PersonId, Principal, Role, TeamId};
use sqlx::{Postgres, QueryBuilder};

use crate::ids::uuids;

/// Who reads: decides which tickets are visible, and what of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Sees the public view of tickets that they requested or follow.
    Requester {
        /// The person, and those who were merged into them.
        people: Vec<PersonId>,
    },
    /// Sees tickets of their teams and of no team, and those assigned to them or followed by them.
    Agent {
        /// The agent.
        id: AgentId,
        /// The person that they are, and those who were merged into them.
        people: Vec<PersonId>,
        /// Their teams.
        teams: Vec<TeamId>,
    },
    /// Sees every ticket.
    Everything,
}

impl Viewer {
    /// A principal as a reader.
    pub fn of(principal: &Principal) -> Self {
        let people = || principal.person().into_iter().chain(principal.merged.iter().copied()).collect();
        match (principal.role, principal.agent()) {
            (Role::Lead | Role::Admin | Role::System, _) => Self::Everything,
            (Role::Agent, Some(id)) => {
                Self::Agent { id, people: people(), teams: principal.teams.iter().copied().collect() }
            }
            (Role::Requester, _) | (Role::Agent, None) => Self::Requester { people: people() },
        }
    }

    pub(crate) fn is_requester(&self) -> bool {
        matches!(self, Self::Requester { .. })
    }

    /// Adds the condition that a row `t` is visible, with a leading `and`: `Ticket::is_visible_to`, in SQL.
    pub(super) fn push_visibility(&self, sql: &mut QueryBuilder<Postgres>) {
        match self {
            Self::Everything => {}
            Self::Requester { people } => {
                sql.push(" and (t.requester = any(").push_bind(uuids(people));
                sql.push(") or t.followers && ").push_bind(uuids(people)).push(")");
            }
            Self::Agent { id, people, teams } => {
                sql.push(" and (t.team is null or t.team = any(").push_bind(uuids(teams));
                sql.push(") or t.assignee = ").push_bind(id.0);
                sql.push(" or t.followers && ").push_bind(uuids(people)).push(")");
            }
        }
    }
}
