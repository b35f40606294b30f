//! Who may not, whatever the status. Roles against commands are tried in `table.rs`.

use shared_kernel::{ActorKind, Aggregate, Role};
use ticket_aggregate::Ticket;
use ticket_aggregate::{Command, CommandKind, Context, Rejection, RejectionKind};

use crate::samples;
use crate::scenario::{actor, ada, context, finn, fold, given, opened, resolved, rita, system};

#[test]
fn role_precedes_validation() {
    // a requester's faulty note on a ticket that is not there: they learn only that they may not
    let refusal = Rejection::Forbidden { command: CommandKind::Note, role: Role::Requester };
    given([]).when(Command::Note { body: String::new() }, rita()).then_rejected(refusal);
}

#[test]
fn requester_acts_on_own_tickets() {
    for story in [vec![opened()], vec![opened(), resolved()]] {
        for kind in [CommandKind::Reply, CommandKind::Confirm, CommandKind::Reopen, CommandKind::Close] {
            let command = samples::command(kind, "ada");
            given(story.clone()).when(command, finn()).then_rejected(Rejection::NotOwnTicket);
        }
    }
}

#[test]
fn close_needs_lead() {
    let refusal = Rejection::Forbidden { command: CommandKind::Close, role: Role::Agent };
    given([opened(), resolved()]).when(Command::Close, ada()).then_rejected(refusal);
}

#[test]
fn timer_commands_are_system_only() {
    for kind in [CommandKind::Wake, CommandKind::AutoClose] {
        let decide =
            |context: Context| Ticket::decide(fold(&[opened()]).as_ref(), &samples::command(kind, "ada"), &context);
        for role in [Role::Requester, Role::Agent, Role::Lead, Role::Admin] {
            let outcome = decide(context(actor(role, "rita")));
            assert_eq!(outcome, Err(Rejection::Forbidden { command: kind, role }));
        }
        assert_eq!(decide(system()).unwrap_err().kind(), RejectionKind::Conflict);
    }
}

#[test]
fn roles_are_ordered() {
    assert!(Role::Requester < Role::Agent && Role::Agent < Role::Lead);
    assert!(Role::Lead < Role::Admin && Role::Admin < Role::System);
    assert_eq!(Role::Requester.kind(), ActorKind::Requester);
    assert_eq!(Role::System.kind(), ActorKind::System);
    for role in [Role::Agent, Role::Lead, Role::Admin] {
        assert_eq!(role.kind(), ActorKind::Agent);
    }
}
