//! Who calls, when, and with which commands. The people, agents and teams are there in every world that is not empty.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use shared_kernel::testing::{agent, person, requester, staff, team};
use shared_kernel::{Actor, EmailAddress, Principal, Role, TeamId};
use ticket_aggregate::{Command, LinkKind, ResolutionCode, Tag, TicketId};

pub(crate) const TEAMS: [&str; 2] = ["hardware", "network"];
/// Who asks.
pub(crate) const REQUESTERS: [&str; 2] = ["rita", "finn"];
/// Agents and their teams; their capacity is unlimited.
pub(crate) const AGENTS: [(&str, &[&str]); 4] =
    [("ada", &["hardware"]), ("ben", &["network"]), ("lea", &["hardware", "network"]), ("root", &[])];

/// Hours since the tests' epoch. Commands happen at hour 0 unless a test says otherwise.
pub(crate) fn hour(hours: i64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 5, 9, 0, 0).unwrap() + TimeDelta::hours(hours)
}

/// The default reopen window: 14 days.
pub(crate) const WINDOW: i64 = 14 * 24;

pub(crate) fn email(name: &str) -> EmailAddress {
    EmailAddress::parse(&format!("{name}@example.com")).unwrap()
}

pub(crate) fn of_staff(role: Role, name: &str, teams: &[&str]) -> Principal {
    Principal { teams: teams_of(teams), ..Principal::new(staff(role, name)) }
}

pub(crate) fn teams_of(teams: &[&str]) -> BTreeSet<TeamId> {
    teams.iter().map(|name| team(name)).collect()
}

/// The requester of every ticket that `World::open` opens.
pub(crate) fn rita() -> Principal {
    Principal::new(requester("rita"))
}

/// Another requester.
pub(crate) fn finn() -> Principal {
    Principal::new(requester("finn"))
}

/// An agent in the team of the tickets that `World::open` opens.
pub(crate) fn ada() -> Principal {
    of_staff(Role::Agent, "ada", &["hardware"])
}

/// An agent in another team.
pub(crate) fn ben() -> Principal {
    of_staff(Role::Agent, "ben", &["network"])
}

/// A lead in both teams.
pub(crate) fn lea() -> Principal {
    of_staff(Role::Lead, "lea", &["hardware", "network"])
}

pub(crate) fn root() -> Principal {
    of_staff(Role::Admin, "root", &[])
}

pub(crate) fn system() -> Principal {
    Principal::new(Actor::system("timers"))
}

pub(crate) fn note(body: &str) -> Command {
    Command::Note { body: body.into() }
}

pub(crate) fn reply(body: &str) -> Command {
    Command::Reply { body: body.into(), source_id: None }
}

pub(crate) fn assign(name: &str) -> Command {
    Command::Assign { assignee: agent(name) }
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

pub(crate) fn follow(name: &str) -> Command {
    Command::Follow { follower: person(name) }
}

pub(crate) fn hold() -> Command {
    Command::Hold { reason: "a part".into(), wake_at: None }
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
