//! Who asks, and that it may become somebody else.

use shared_kernel::Role;
use ticket_aggregate::{ClosedReason, Command, CommandKind, Event, Rejection, Status, Trigger};

use crate::scenario::{
    ada, finn, given, lead, message, message_id, on_hold, opened, opened_for_nobody, pended, person, requester_changed,
    resolved, resumed, rita, system, text, ticket,
};

fn change(to: &str) -> Command {
    Command::ChangeRequester { requester: person(to), reason: text("on behalf") }
}

#[test]
fn change_requester_by_staff() {
    for who in [ada(), lead(), system()] {
        given([opened()]).when(change("finn"), who).then([requester_changed(Some("rita"), "finn")]);
    }
    let refusal = Rejection::Forbidden { command: CommandKind::ChangeRequester, role: Role::Requester };
    given([opened()]).when(change("finn"), rita()).then_rejected(refusal);
}

#[test]
fn change_requester_from_nobody() {
    given([opened_for_nobody()]).when(change("finn"), ada()).then([requester_changed(None, "finn")]);
}

#[test]
fn change_requester_to_same_records_nothing() {
    given([opened()]).when(change("rita"), ada()).then_nothing();
}

#[test]
fn change_requester_needs_no_reason() {
    let command = Command::ChangeRequester { requester: person("finn"), reason: None };
    let changed = Event::RequesterChanged { from: Some(person("rita")), to: person("finn"), reason: None };
    given([opened()]).when(command, ada()).then([changed]);
}

#[test]
fn change_requester_of_closed_is_refused() {
    let closed = Event::TicketClosed { reason: ClosedReason::Spam };
    for event in [pended(), on_hold(None), resolved()] {
        given([opened(), event]).when(change("finn"), ada()).then([requester_changed(Some("rita"), "finn")]);
    }
    given([opened(), closed]).when(change("finn"), ada()).then_rejected(Rejection::IllegalTransition {
        command: CommandKind::ChangeRequester,
        status: Status::Closed,
        allowed: vec![CommandKind::Link, CommandKind::Unlink],
    });
}

#[test]
fn changed_requester_acts_instead() {
    let story = [opened(), requester_changed(Some("rita"), "finn"), pended()];
    let reply = Command::Reply { body: "Hello".to_owned(), source_id: None };
    given(story.clone()).when(reply.clone(), rita()).then_rejected(Rejection::NotOwnTicket);
    let replied =
        Event::RequesterReplied { message_id: message_id(7), personal: message("finn", "Hello"), source_id: None };
    given(story).when(reply, finn()).then([replied, resumed(Trigger::RequesterReply)]);
}

#[test]
fn former_requester_is_internal() {
    let changed = requester_changed(Some("rita"), "finn");
    let seen = Event::RequesterChanged { from: None, to: person("finn"), reason: None };
    assert_eq!(changed.public_view(), Some(seen));
    assert_eq!(ticket(&[opened(), changed]).public_view().requester, Some(person("finn")));
}
