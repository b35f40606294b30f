//! What a refusal says, to programs and to people.

use shared_kernel::{Role, StreamVersion};
use std::collections::BTreeSet;
use std::fmt::Write as _;

use ticket_aggregate::{CommandKind, Rejection, RejectionKind, Status};

use crate::scenario::{agent, code, hour, team, ticket_id};

fn all() -> Vec<Rejection> {
    let (command, status) = (CommandKind::Close, Status::New);
    vec![
        Rejection::Forbidden { command, role: Role::Agent },
        Rejection::NotOwnTicket,
        Rejection::OpenForAnother,
        Rejection::ReservedForStaff { field: "team" },
        Rejection::AssignOthers { agent: agent("bob") },
        Rejection::Blank { field: "subject" },
        Rejection::TooLong { field: "subject", limit: 300 },
        Rejection::ControlCharacter { field: "subject" },
        Rejection::TooManyTags { limit: 100 },
        Rejection::TooManyFollowers { limit: 100 },
        Rejection::TooManyLinks { limit: 100 },
        Rejection::WakeAtInPast { wake_at: hour(1) },
        Rejection::ReasonRequired,
        Rejection::ReservedCode { code: code("confirmed_by_requester") },
        Rejection::LinkToItself,
        Rejection::NotOpened,
        Rejection::AlreadyOpened,
        Rejection::IllegalTransition {
            command,
            status,
            allowed: vec![CommandKind::Reply, CommandKind::AwaitRequester],
        },
        Rejection::IllegalTransition { command, status, allowed: vec![] },
        Rejection::FollowUpNeeded { status: Status::Closed },
        Rejection::NotTeamMember { assignee: agent("ada"), team: team("network") },
        Rejection::NoReplySinceRequester,
        Rejection::NoAssignee,
        Rejection::OpenBlockers { tickets: vec![ticket_id(8), ticket_id(9)] },
        Rejection::ReopenDeadlinePassed { reopen_until: hour(1) },
        Rejection::ReopenWindowOpen { reopen_until: hour(1) },
        Rejection::AgentAlreadyReplied,
        Rejection::WakeNotDue { wake_at: hour(1) },
        Rejection::TimerSuperseded { set_by: StreamVersion(3), in_force: Some(StreamVersion(5)) },
    ]
}

/// Codes are stable: a change shows as a diff.
#[test]
fn rejection_messages() {
    let mut list = String::new();
    for refusal in all() {
        writeln!(list, "{} ({:?}): {refusal}", refusal.code(), refusal.kind()).unwrap();
    }
    insta::assert_snapshot!(list);
}

#[test]
fn rejection_codes_are_unique() {
    let codes: BTreeSet<&str> = all().iter().map(Rejection::code).collect();
    // illegal_transition stands in the list twice
    assert_eq!(codes.len(), all().len() - 1);
    for code in codes {
        assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code}");
    }
}

#[test]
fn rejection_kinds() {
    let kind = |refusal: Rejection| refusal.kind();
    assert_eq!(kind(Rejection::NotOwnTicket), RejectionKind::Forbidden);
    assert_eq!(kind(Rejection::ReasonRequired), RejectionKind::Invalid);
    assert_eq!(kind(Rejection::NotOpened), RejectionKind::Conflict);
}
