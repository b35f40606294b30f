//! Replies and notes.

use shared_kernel::Role;
use ticket_aggregate::{ClosedReason, Command, CommandKind, Context, Event, Rejection, Status, Trigger};

use crate::scenario::{
    FINN, RITA, ada, agent_replied, assigned, at, context, given, hour, message_id, on_hold, opened, pended,
    requester_replied, resolved, resumed, rita, text, ticket,
};

fn reply() -> Command {
    Command::Reply { body: "Hello".to_owned(), source_id: None }
}
fn replied() -> Event {
    Event::RequesterReplied { message_id: message_id(7), body: "Hello".to_owned(), source_id: None }
}
fn answered(recipients: &[&str]) -> Event {
    Event::PublicReplyAdded {
        message_id: message_id(7),
        body: "Hello".to_owned(),
        recipients: recipients.iter().map(|it| (*it).to_owned()).collect(),
        source_id: None,
    }
}
fn followed(follower: &str) -> Event {
    Event::FollowerAdded { follower: follower.to_owned() }
}
fn closed() -> Event {
    Event::TicketClosed { reason: ClosedReason::Resolved }
}

#[test]
fn an_agents_reply_takes_a_new_ticket_up() {
    let after = given([opened()]).when(reply(), ada()).then([answered(&[RITA])]);
    after.when(Command::AwaitRequester, ada()).then([pended()]);
}

#[test]
fn an_agents_reply_resumes_nothing() {
    given([opened(), pended()]).when(reply(), ada()).then([answered(&[RITA])]);
    given([opened(), resolved()]).when(reply(), ada()).then([answered(&[RITA])]);
}

#[test]
fn recipients_are_the_requester_and_the_followers_who_have_an_address() {
    let events = [opened(), followed(FINN), followed("bob"), followed(RITA)];
    given(events).when(reply(), ada()).then([answered(&[RITA, FINN])]);
}

#[test]
fn recipients_stay_as_they_were_when_it_was_sent() {
    let sent = answered(&[RITA]);
    given([opened(), sent.clone()]).when(Command::Follow { follower: FINN.to_owned() }, ada()).then([followed(FINN)]);
    assert_eq!(ticket(&[opened(), sent, followed(FINN)]).recipients(), [RITA, FINN]);
}

#[test]
fn an_agent_cannot_reply_to_a_closed_ticket() {
    let allowed = vec![CommandKind::Link, CommandKind::Unlink];
    let refusal = Rejection::IllegalTransition { command: CommandKind::Reply, status: Status::Closed, allowed };
    given([opened(), resolved(), closed()]).when(reply(), ada()).then_rejected(refusal);
}

#[test]
fn a_requesters_reply_leaves_new_and_open_alone() {
    given([opened()]).when(reply(), rita()).then([replied()]);
    given([opened(), assigned("ada")]).when(reply(), rita()).then([replied()]);
}

#[test]
fn a_requesters_reply_resumes_what_waits() {
    let by_reply = resumed(Trigger::RequesterReply);
    given([opened(), pended()]).when(reply(), rita()).then([replied(), by_reply.clone()]);
    given([opened(), on_hold(None)]).when(reply(), rita()).then([replied(), by_reply]);
}

#[test]
fn a_requesters_reply_reopens_what_is_resolved_until_the_deadline() {
    let reopened = Event::TicketReopened { reason: None, count: 1, trigger: Trigger::RequesterReply };
    let story = [opened(), assigned("ada"), resolved()];
    given(story.clone()).when(reply(), at(48, rita())).then([replied(), reopened]);
    let late = Context { now: hour(48) + chrono::TimeDelta::milliseconds(1), ..rita() };
    let refusal = Rejection::FollowUpNeeded { status: Status::Resolved };
    given(story).when(reply(), late).then_rejected(refusal);
}

#[test]
fn a_requesters_reply_to_a_closed_ticket_needs_a_new_one() {
    given([opened(), resolved(), closed()])
        .when(reply(), rita())
        .then_rejected(Rejection::FollowUpNeeded { status: Status::Closed });
}

#[test]
fn a_follower_may_reply_and_a_stranger_may_not() {
    let finn = || context(Role::Requester, FINN);
    given([opened(), followed(FINN)]).when(reply(), finn()).then([replied()]);
    given([opened()]).when(reply(), finn()).then_rejected(Rejection::NotOwnTicket);
}

#[test]
fn a_mail_that_is_delivered_again_records_nothing() {
    let again = |id: &str| Command::Reply { body: "That one.".to_owned(), source_id: text(id) };
    let story = [opened(), assigned("ada"), requester_replied(), resolved(), closed()];
    given(story.clone()).when(again("mail-2"), rita()).then_nothing();
    given(story.clone()).when(again("mail-1"), rita()).then_nothing();
    given(story).when(again("mail-3"), rita()).then_rejected(Rejection::FollowUpNeeded { status: Status::Closed });
}

#[test]
fn an_agents_mail_that_is_delivered_again_records_nothing() {
    let mail = || Command::Reply { body: "Hello".to_owned(), source_id: text("mail-4") };
    let sent = Event::PublicReplyAdded {
        message_id: message_id(7),
        body: "Hello".to_owned(),
        recipients: vec![RITA.to_owned()],
        source_id: text("mail-4"),
    };
    let after = given([opened()]).when(mail(), ada()).then([sent]);
    after.when(mail(), ada()).then_nothing();
}

#[test]
fn a_repeated_mail_tells_a_stranger_nothing() {
    let mail = Command::Reply { body: "x".to_owned(), source_id: text("mail-1") };
    let finn = context(Role::Requester, FINN);
    given([opened()]).when(mail, finn).then_rejected(Rejection::NotOwnTicket);
}

#[test]
fn a_note_is_no_reply() {
    let note = Event::InternalNoteAdded { message_id: message_id(7), body: "Hmm".to_owned() };
    let after = given([opened()]).when(Command::Note { body: "Hmm".to_owned() }, ada()).then([note]);
    after.when(Command::Start, ada()).then([Event::WorkStarted {}]);
}

#[test]
fn awaiting_needs_a_reply_since_the_requester_last_wrote() {
    let wait = || Command::AwaitRequester;
    let refusal = || Rejection::NoReplySinceRequester;
    given([opened(), assigned("ada")]).when(wait(), ada()).then_rejected(refusal());
    given([opened(), agent_replied()]).when(wait(), ada()).then([pended()]);
    let asked_again = [opened(), agent_replied(), requester_replied()];
    given(asked_again).when(wait(), ada()).then_rejected(refusal());
}
