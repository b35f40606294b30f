//! Who calls, when, and with which commands.

use shared_kernel::{AgentId, Role, TeamId};
use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use shared_kernel::Principal;
use ticket_aggregate::{Command, LinkKind, ResolutionCode, Tag, TicketId};

pub(crate) const RITA: &str = "rita@example.com";
pub(crate) const FINN: &str = "finn@example.com";

/// Hours since the tests' epoch. Commands happen at hour 0 unless a test says otherwise.
pub(crate) fn hour(hours: i64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 5, 9, 0, 0).unwrap() + TimeDelta::hours(hours)
}

/// The default reopen window: 14 days.
pub(crate) const WINDOW: i64 = 14 * 24;

pub(crate) fn caller(role: Role, id: &str, teams: &[&str]) -> Principal {
    Principal { scope: format!("key of {id}"), role, id: id.into(), name: None, teams: teams_of(teams) }
}

pub(crate) fn teams_of(teams: &[&str]) -> BTreeSet<TeamId> {
    teams.iter().map(|name| team(name)).collect()
}

/// The requester of every ticket that `World::open` opens.
pub(crate) fn rita() -> Principal {
    caller(Role::Requester, RITA, &[])
}

/// Another requester.
pub(crate) fn finn() -> Principal {
    caller(Role::Requester, FINN, &[])
}

/// An agent in the team of the tickets that `World::open` opens.
pub(crate) fn ada() -> Principal {
    caller(Role::Agent, "ada", &["hardware"])
}

/// An agent in another team.
pub(crate) fn ben() -> Principal {
    caller(Role::Agent, "ben", &["network"])
}

pub(crate) fn lea() -> Principal {
    caller(Role::Lead, "lea", &[])
}

pub(crate) fn root() -> Principal {
    caller(Role::Admin, "root", &[])
}

pub(crate) fn system() -> Principal {
    caller(Role::System, "auto-close", &[])
}

pub(crate) fn team(name: &str) -> TeamId {
    TeamId::parse(name).unwrap()
}

pub(crate) fn note(body: &str) -> Command {
    Command::Note { body: body.into() }
}

pub(crate) fn reply(body: &str) -> Command {
    Command::Reply { body: body.into(), source_id: None }
}

pub(crate) fn assign(agent: &str) -> Command {
    Command::Assign { assignee: AgentId::parse(agent).unwrap() }
}

pub(crate) fn route(name: &str) -> Command {
    Command::Route { team: team(name) }
}

pub(crate) fn rename(subject: &str) -> Command {
    Command::Rename { subject: subject.into() }
}

pub(crate) fn tag(word: &str) -> Command {
    Command::Tag { tags: BTreeSet::from([Tag::parse(word).unwrap()]) }
}

pub(crate) fn untag(word: &str) -> Command {
    Command::Untag { tags: BTreeSet::from([Tag::parse(word).unwrap()]) }
}

pub(crate) fn follow(follower: &str) -> Command {
    Command::Follow { follower: follower.into() }
}

pub(crate) fn resolve() -> Command {
    Command::Resolve { code: ResolutionCode::parse("solved").unwrap(), note: None }
}

pub(crate) fn reopen(reason: &str) -> Command {
    Command::Reopen { reason: Some(reason.into()) }
}

pub(crate) fn blocked_by(other: TicketId) -> Command {
    Command::Link { kind: LinkKind::BlockedBy, other }
}

pub(crate) fn unblocked_by(other: TicketId) -> Command {
    Command::Unlink { kind: LinkKind::BlockedBy, other }
}
