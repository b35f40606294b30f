//! Who may not, whatever the status. Roles against commands are tried in `table.rs`.

use shared_kernel::{ActorKind, Aggregate, Role};
use ticket_aggregate::Ticket;
use ticket_aggregate::{Command, CommandKind, Rejection, RejectionKind};

use crate::samples;
use crate::scenario::{FINN, ada, context, fold, given, opened, resolved, rita, system};

#[test]
fn the_role_is_asked_before_anything_else() {
    // a requester's faulty note on a ticket that is not there: they learn only that they may not
    let refusal = Rejection::Forbidden { command: CommandKind::Note, role: Role::Requester };
    given([]).when(Command::Note { body: String::new() }, rita()).then_rejected(refusal);
}

#[test]
fn a_requester_learns_nothing_of_others_tickets() {
    let finn = context(Role::Requester, FINN);
    for story in [vec![opened()], vec![opened(), resolved()]] {
        for kind in [CommandKind::Reply, CommandKind::Confirm, CommandKind::Reopen, CommandKind::Close] {
            let command = samples::command(kind, FINN);
            given(story.clone()).when(command, finn.clone()).then_rejected(Rejection::NotOwnTicket);
        }
    }
}

#[test]
fn closing_is_not_a_plain_agents_business() {
    let refusal = Rejection::Forbidden { command: CommandKind::Close, role: Role::Agent };
    given([opened(), resolved()]).when(Command::Close, ada()).then_rejected(refusal);
}

#[test]
fn the_timers_command_is_the_systems_alone() {
    for role in [Role::Requester, Role::Agent, Role::Lead, Role::Admin] {
        let outcome = Ticket::decide(fold(&[opened()]).as_ref(), &Command::Wake, &context(role, "x"));
        assert_eq!(outcome, Err(Rejection::Forbidden { command: CommandKind::Wake, role }));
    }
    let outcome = Ticket::decide(fold(&[opened()]).as_ref(), &Command::Wake, &system());
    assert_eq!(outcome.unwrap_err().kind(), RejectionKind::Conflict);
}

#[test]
fn roles_are_ordered_and_have_a_kind() {
    assert!(Role::Requester < Role::Agent && Role::Agent < Role::Lead);
    assert!(Role::Lead < Role::Admin && Role::Admin < Role::System);
    assert_eq!(Role::Requester.kind(), ActorKind::Requester);
    assert_eq!(Role::System.kind(), ActorKind::System);
    for role in [Role::Agent, Role::Lead, Role::Admin] {
        assert_eq!(role.kind(), ActorKind::Agent);
    }
}
