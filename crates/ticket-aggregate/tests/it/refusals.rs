//! What a refusal says, to programs and to people.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use ticket_aggregate::{CommandKind, Refusal, RefusalKind, Role, Status};

use crate::scenario::{agent, code, hour, team, ticket_id};

fn all() -> Vec<Refusal> {
    let (command, status) = (CommandKind::Close, Status::New);
    vec![
        Refusal::Forbidden { command, role: Role::Agent },
        Refusal::NotOwnTicket,
        Refusal::OpenForAnother,
        Refusal::AssignOthers { agent: agent("bob") },
        Refusal::Blank { field: "subject" },
        Refusal::TooLong { field: "subject", limit: 300 },
        Refusal::ControlCharacter { field: "subject" },
        Refusal::UnfitActor { role: Role::Requester, id: "rita".to_owned() },
        Refusal::TooManyTags { limit: 100 },
        Refusal::TooManyFollowers { limit: 100 },
        Refusal::TooManyLinks { limit: 100 },
        Refusal::WakeAtInPast { wake_at: hour(1) },
        Refusal::ReasonRequired,
        Refusal::ReservedCode { code: code("confirmed_by_requester") },
        Refusal::LinkToItself,
        Refusal::NotOpened,
        Refusal::AlreadyOpened,
        Refusal::IllegalTransition { command, status, allowed: vec![CommandKind::Reply, CommandKind::AwaitRequester] },
        Refusal::IllegalTransition { command, status, allowed: vec![] },
        Refusal::FollowUpNeeded { status: Status::Closed },
        Refusal::NotTeamMember { assignee: agent("ada"), team: team("network") },
        Refusal::NoReplySinceRequester,
        Refusal::NoAssignee,
        Refusal::OpenBlockers { tickets: vec![ticket_id(8), ticket_id(9)] },
        Refusal::ReopenDeadlinePassed { reopen_until: hour(1) },
        Refusal::ReopenWindowOpen { reopen_until: hour(1) },
        Refusal::AgentAlreadyReplied,
        Refusal::WakeNotDue { wake_at: Some(hour(1)) },
    ]
}

/// Codes are stable: a change shows as a diff.
#[test]
fn codes_kinds_and_sentences() {
    let mut list = String::new();
    for refusal in all() {
        writeln!(list, "{} ({:?}): {refusal}", refusal.code(), refusal.kind()).unwrap();
    }
    insta::assert_snapshot!(list);
}

#[test]
fn codes_are_snake_case_and_differ() {
    let codes: BTreeSet<&str> = all().iter().map(Refusal::code).collect();
    // illegal_transition stands in the list twice
    assert_eq!(codes.len(), all().len() - 1);
    for code in codes {
        assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code}");
    }
}

#[test]
fn what_this_actor_may_not_is_forbidden() {
    let kind = |refusal: Refusal| refusal.kind();
    assert_eq!(kind(Refusal::NotOwnTicket), RefusalKind::Forbidden);
    assert_eq!(kind(Refusal::ReasonRequired), RefusalKind::Invalid);
    assert_eq!(kind(Refusal::NotOpened), RefusalKind::Conflict);
}
