//! Replies and notes.

use ticket_aggregate::{ClosedReason, Command, CommandKind, Context, Event, Rejection, Status, Trigger};

use crate::scenario::{
    ada, agent_replied, assigned, at, finn, followed, given, hour, message, message_id, on_hold, opened, pended,
    person, recipients, reopened, requester_changed, requester_replied, resolved, resumed, rita, text, ticket,
};

fn reply() -> Command {
    Command::Reply { body: "Hello".to_owned(), source_id: None }
}
fn replied_by(author: &str) -> Event {
    Event::RequesterReplied { message_id: message_id(7), personal: message(author, "Hello"), source_id: None }
}
fn replied() -> Event {
    replied_by("rita")
}
fn answered(to: &[&str]) -> Event {
    Event::PublicReplyAdded {
        message_id: message_id(7),
        personal: message("rita", "Hello"),
        recipients: recipients(to),
        source_id: None,
    }
}
fn closed() -> Event {
    Event::TicketClosed { reason: ClosedReason::Resolved }
}

#[test]
fn agent_reply_opens_new_ticket() {
    let after = given([opened()]).when(reply(), ada()).then([answered(&["rita"])]);
    after.when(Command::AwaitRequester, ada()).then([pended()]);
}

#[test]
fn agent_reply_resumes_nothing() {
    given([opened(), pended()]).when(reply(), ada()).then([answered(&["rita"])]);
    given([opened(), resolved()]).when(reply(), ada()).then([answered(&["rita"])]);
}

#[test]
fn recipients_are_requester_then_followers() {
    // Bob has no address, and nobody gets it twice
    let events = [opened(), followed("finn"), followed("bob"), followed("rita")];
    given(events).when(reply(), ada()).then([answered(&["rita", "finn"])]);
}

#[test]
fn recipients_need_an_address() {
    let mut context = ada();
    context.identities.remove(&person("rita"));
    given([opened(), followed("finn")]).when(reply(), context.clone()).then([answered(&["finn"])]);
    context.identities.clear();
    given([opened(), followed("finn")]).when(reply(), context).then([answered(&[])]);
}

#[test]
fn recipients_follow_the_requester() {
    let changed = [opened(), requester_changed(Some("rita"), "finn")];
    let Event::PublicReplyAdded { message_id, recipients, source_id, .. } = answered(&["finn"]) else { return };
    let personal = message("finn", "Hello");
    let sent = Event::PublicReplyAdded { message_id, personal, recipients, source_id };
    given(changed).when(reply(), ada()).then([sent]);
}

#[test]
fn recipients_are_frozen() {
    let sent = answered(&["rita"]);
    let follow = Command::Follow { follower: person("finn") };
    given([opened(), sent.clone()]).when(follow, ada()).then([followed("finn")]);
    let now = ticket(&[opened(), sent, followed("finn")]).recipients(&ada().identities);
    assert_eq!(now, recipients(&["rita", "finn"]));
}

#[test]
fn agent_reply_to_closed_is_refused() {
    let allowed = vec![CommandKind::Link, CommandKind::Unlink];
    let refusal = Rejection::IllegalTransition { command: CommandKind::Reply, status: Status::Closed, allowed };
    given([opened(), resolved(), closed()]).when(reply(), ada()).then_rejected(refusal);
}

#[test]
fn requester_reply_keeps_active_status() {
    given([opened()]).when(reply(), rita()).then([replied()]);
    given([opened(), assigned("ada")]).when(reply(), rita()).then([replied()]);
}

#[test]
fn requester_reply_resumes() {
    let by_reply = resumed(Trigger::RequesterReply);
    given([opened(), pended()]).when(reply(), rita()).then([replied(), by_reply.clone()]);
    given([opened(), on_hold(None)]).when(reply(), rita()).then([replied(), by_reply]);
}

#[test]
fn requester_reply_reopens_until_deadline() {
    let reopened = reopened(None, 1, Trigger::RequesterReply);
    let story = [opened(), assigned("ada"), resolved()];
    given(story.clone()).when(reply(), at(48, rita())).then([replied(), reopened]);
    let late = Context { now: hour(48) + chrono::TimeDelta::milliseconds(1), ..rita() };
    let refusal = Rejection::FollowUpNeeded { status: Status::Resolved };
    given(story).when(reply(), late).then_rejected(refusal);
}

#[test]
fn requester_reply_to_closed_needs_follow_up() {
    given([opened(), resolved(), closed()])
        .when(reply(), rita())
        .then_rejected(Rejection::FollowUpNeeded { status: Status::Closed });
}

#[test]
fn follower_may_reply() {
    given([opened(), followed("finn")]).when(reply(), finn()).then([replied_by("finn")]);
    given([opened()]).when(reply(), finn()).then_rejected(Rejection::NotOwnTicket);
}

#[test]
fn repeated_mail_records_nothing() {
    let again = |id: &str| Command::Reply { body: "That one.".to_owned(), source_id: text(id) };
    let story = [opened(), assigned("ada"), requester_replied(), resolved(), closed()];
    given(story.clone()).when(again("mail-2"), rita()).then_nothing();
    given(story.clone()).when(again("mail-1"), rita()).then_nothing();
    given(story).when(again("mail-3"), rita()).then_rejected(Rejection::FollowUpNeeded { status: Status::Closed });
}

#[test]
fn repeated_agent_mail_records_nothing() {
    let mail = || Command::Reply { body: "Hello".to_owned(), source_id: text("mail-4") };
    let sent = Event::PublicReplyAdded {
        message_id: message_id(7),
        personal: message("rita", "Hello"),
        recipients: recipients(&["rita"]),
        source_id: text("mail-4"),
    };
    let after = given([opened()]).when(mail(), ada()).then([sent]);
    after.when(mail(), ada()).then_nothing();
}

#[test]
fn repeated_mail_is_refused_to_strangers() {
    let mail = Command::Reply { body: "x".to_owned(), source_id: text("mail-1") };
    given([opened()]).when(mail, finn()).then_rejected(Rejection::NotOwnTicket);
}

#[test]
fn note_is_no_reply() {
    let note = Event::InternalNoteAdded { message_id: message_id(7), personal: message("rita", "Hmm") };
    let after = given([opened()]).when(Command::Note { body: "Hmm".to_owned() }, ada()).then([note]);
    after.when(Command::Start, ada()).then([Event::WorkStarted {}]);
}

#[test]
fn await_requester_needs_reply() {
    let wait = || Command::AwaitRequester;
    let refusal = || Rejection::NoReplySinceRequester;
    given([opened(), assigned("ada")]).when(wait(), ada()).then_rejected(refusal());
    given([opened(), agent_replied()]).when(wait(), ada()).then([pended()]);
    let asked_again = [opened(), agent_replied(), requester_replied()];
    given(asked_again).when(wait(), ada()).then_rejected(refusal());
}
