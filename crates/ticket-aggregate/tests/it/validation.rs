//! What is refused of a command in itself.

use shared_kernel::Aggregate;
use ticket_aggregate::Ticket;
use ticket_aggregate::{Command, Context, Open, Priority, Rejection, limits};

use crate::scenario::{ada, code, given, opened, request, resolved, rita, tags, text};

/// A command for each text it may hold.
fn with_text(field: &str, it: String) -> (Command, Context) {
    let command = match field {
        "subject" => Command::Rename { subject: it },
        "body" => Command::Reply { body: it, source_id: None },
        "note" => Command::Resolve { code: code("solved"), note: Some(it) },
        "reason" => Command::Hold { reason: it, wake_at: None },
        "category" => Command::Categorize { category: it },
        "follower" => Command::Follow { follower: it },
        "source_id" => Command::Reply { body: "x".to_owned(), source_id: Some(it) },
        other => panic!("{other}"),
    };
    (command, ada())
}

const FIELDS: [(&str, usize); 7] = [
    ("subject", limits::SUBJECT),
    ("body", limits::BODY),
    ("note", limits::BODY),
    ("reason", limits::REASON),
    ("category", limits::CATEGORY),
    ("follower", limits::FOLLOWER),
    ("source_id", limits::SOURCE_ID),
];

#[test]
fn no_text_is_blank() {
    for (field, _) in FIELDS {
        for blank in ["", "  \n\t"] {
            let (command, context) = with_text(field, blank.to_owned());
            given([opened()]).when(command, context).then_rejected(Rejection::Blank { field });
        }
    }
}

#[test]
fn texts_are_as_long_as_their_limit_and_no_longer() {
    for (field, limit) in FIELDS {
        // characters are counted, not bytes
        let (command, context) = with_text(field, "ß".repeat(limit + 1));
        let refusal = Rejection::TooLong { field, limit };
        given([opened()]).when(command, context).then_rejected(refusal);
        let (command, context) = with_text(field, "ß".repeat(limit));
        let outcome = Ticket::decide(crate::scenario::fold(&[opened()]).as_ref(), &command, &context);
        assert!(outcome.is_ok(), "{field}: {outcome:?}");
    }
}

#[test]
fn no_text_holds_nul_and_no_line_a_line_break() {
    for (field, _) in FIELDS {
        let (command, context) = with_text(field, "a\0b".to_owned());
        let refusal = Rejection::ControlCharacter { field };
        given([opened()]).when(command, context).then_rejected(refusal);
    }
    for field in ["subject", "category", "follower", "source_id"] {
        let (command, context) = with_text(field, "a\r\nBcc: b".to_owned());
        let refusal = Rejection::ControlCharacter { field };
        given([opened()]).when(command, context).then_rejected(refusal);
    }
}

#[test]
fn an_opening_is_held_to_the_same() {
    let open = |change: &dyn Fn(&mut Open)| {
        let mut open = request();
        change(&mut open);
        given([]).when(Command::Open(open), ada())
    };
    open(&|it| it.subject = " ".to_owned()).then_rejected(Rejection::Blank { field: "subject" });
    open(&|it| it.body = String::new()).then_rejected(Rejection::Blank { field: "body" });
    open(&|it| it.category = text("")).then_rejected(Rejection::Blank { field: "category" });
    open(&|it| it.source_id = text("a\nb")).then_rejected(Rejection::ControlCharacter { field: "source_id" });
    open(&|it| it.body = "x".repeat(limits::BODY + 1))
        .then_rejected(Rejection::TooLong { field: "body", limit: limits::BODY });
    let words: Vec<String> = (0..=limits::TAGS).map(|n| n.to_string()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    open(&|it| it.tags = tags(&words)).then_rejected(Rejection::TooManyTags { limit: limits::TAGS });
}

#[test]
fn an_opening_may_have_all_the_tags_a_ticket_may() {
    let words: Vec<String> = (1..=limits::TAGS).map(|n| n.to_string()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let open = Open { tags: tags(&words), ..request() };
    let outcome = Ticket::decide(None, &Command::Open(open), &ada());
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[test]
fn a_reason_that_may_be_absent_may_not_be_blank() {
    let refusal = || Rejection::Blank { field: "reason" };
    let prioritize = Command::Prioritize { priority: Priority::High, reason: text(" ") };
    given([opened()]).when(prioritize, ada()).then_rejected(refusal());
    let reopen = Command::Reopen { reason: text(" ") };
    given([opened(), resolved()]).when(reopen, rita()).then_rejected(refusal());
}

#[test]
fn a_faulty_command_is_refused_before_the_status_is_looked_at() {
    // as HTTP has it: 422 before 409
    given([]).when(Command::Note { body: String::new() }, ada()).then_rejected(Rejection::Blank { field: "body" });
}
