//! Whose words an event keeps.

use shared_kernel::{Aggregate, PersonId, Personal};
use ticket_aggregate::{Command, Context, Event, Message, Open, Opening, SubjectChange, Ticket};

use crate::scenario::{
    ada, finn, followed, message, message_id, opened, opened_for_nobody, person, recipients, request,
    requester_changed, rita, system, ticket,
};

/// Whose words the command's only event keeps.
fn owner(before: Option<&Ticket>, command: &Command, context: &Context) -> PersonId {
    let events = Ticket::decide(before, command, context).unwrap();
    assert_eq!(events.len(), 1);
    match &events[0] {
        Event::TicketOpened(opened) => opened.personal.of,
        Event::SubjectChanged { personal } => personal.of,
        Event::PublicReplyAdded { personal, .. }
        | Event::RequesterReplied { personal, .. }
        | Event::InternalNoteAdded { personal, .. } => personal.of,
        other => panic!("{other:?}"),
    }
}

fn words() -> [Command; 3] {
    let text = || "Fire".to_owned();
    [
        Command::Reply { body: text(), source_id: None },
        Command::Note { body: text() },
        Command::Rename { subject: text() },
    ]
}

#[test]
fn agent_words_are_the_requesters() {
    let changed = [opened(), requester_changed(Some("rita"), "finn")];
    for command in words() {
        for context in [ada(), system()] {
            assert_eq!(owner(Some(&ticket(&[opened()])), &command, &context), person("rita"));
            assert_eq!(owner(Some(&ticket(&changed)), &command, &context), person("finn"));
        }
    }
}

#[test]
fn words_without_requester_are_the_authors() {
    let ticket = ticket(&[opened_for_nobody()]);
    for command in words() {
        assert_eq!(owner(Some(&ticket), &command, &ada()), person("ada"));
        assert_eq!(owner(Some(&ticket), &command, &system()), PersonId::NOBODY);
    }
}

#[test]
fn requester_words_are_their_own() {
    let [reply, ..] = words();
    let ticket = ticket(&[opened(), followed("finn")]);
    assert_eq!(owner(Some(&ticket), &reply, &rita()), person("rita"));
    assert_eq!(owner(Some(&ticket), &reply, &finn()), person("finn"));
    // under the id that the person has now, whatever the ticket calls them
    let mut merged = finn();
    merged.actor.merged.insert(person("rita"));
    assert_eq!(owner(Some(&ticket), &reply, &merged), person("finn"));
}

#[test]
fn opening_words_are_the_requesters() {
    let open = |requester| Command::Open(Open { requester, ..request() });
    assert_eq!(owner(None, &open(None), &rita()), person("rita"));
    assert_eq!(owner(None, &open(Some(person("rita"))), &ada()), person("rita"));
    assert_eq!(owner(None, &open(None), &ada()), person("ada"));
    assert_eq!(owner(None, &open(None), &system()), PersonId::NOBODY);
}

/// Addresses and names stand in the person's stream, words in `personal`: nothing of them is anywhere else.
#[test]
fn text_stands_in_personal_alone() {
    let opening = Personal::new(None, Opening { subject: "§".to_owned(), body: "§".to_owned() });
    let Event::TicketOpened(mut opened) = opened() else { panic!("not an opening") };
    opened.personal = opening;
    let events = [
        Event::TicketOpened(opened),
        Event::PublicReplyAdded {
            message_id: message_id(1),
            personal: message("rita", "§"),
            recipients: recipients(&["rita"]),
            source_id: None,
        },
        Event::RequesterReplied { message_id: message_id(1), personal: message("rita", "§"), source_id: None },
        Event::InternalNoteAdded {
            message_id: message_id(1),
            personal: Personal::new(None, Message { body: "§".to_owned() }),
        },
        Event::SubjectChanged {
            personal: Personal::new(None, SubjectChange { from: "§".to_owned(), to: "§".to_owned() }),
        },
    ];
    for event in events {
        let payload = shared_kernel::codec::encode(&event).unwrap().payload;
        let mut members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&payload).unwrap();
        assert!(members.remove("personal").is_some_and(|personal| personal.to_string().contains('§')), "{payload}");
        assert!(!serde_json::to_string(&members).unwrap().contains('§'), "{payload}");
    }
}
