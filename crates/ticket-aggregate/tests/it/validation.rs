//! What is refused of a command in itself.

use shared_kernel::Aggregate;
use ticket_aggregate::Ticket;
use ticket_aggregate::{Command, Context, Open, Priority, Rejection, limits};

use crate::scenario::{ada, code, given, opened, person, request, resolved, rita, tags, text};

/// A command for each text it may hold.
fn with_text(field: &str, it: String) -> (Command, Context) {
    let command = match field {
        "subject" => Command::Rename { subject: it },
        "body" => Command::Reply { body: it, source_id: None },
        "note" => Command::Resolve { code: code("solved"), note: Some(it) },
        "reason" => Command::Hold { reason: it, wake_at: None },
        "category" => Command::Categorize { category: it },
        "source_id" => Command::Reply { body: "x".to_owned(), source_id: Some(it) },
        other => panic!("{other}"),
    };
    (command, ada())
}

const FIELDS: [(&str, usize); 6] = [
    ("subject", limits::SUBJECT),
    ("body", limits::BODY),
    ("note", limits::BODY),
    ("reason", limits::REASON),
    ("category", limits::CATEGORY),
    ("source_id", limits::SOURCE_ID),
];

#[test]
fn blank_text_is_refused() {
    for (field, _) in FIELDS {
        for blank in ["", "  \n\t"] {
            let (command, context) = with_text(field, blank.to_owned());
            given([opened()]).when(command, context).then_rejected(Rejection::Blank { field });
        }
    }
}

#[test]
fn text_length_is_limited() {
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
fn control_characters_are_refused() {
    for (field, _) in FIELDS {
        let (command, context) = with_text(field, "a\0b".to_owned());
        let refusal = Rejection::ControlCharacter { field };
        given([opened()]).when(command, context).then_rejected(refusal);
    }
    for field in ["subject", "category", "source_id"] {
        let (command, context) = with_text(field, "a\r\nBcc: b".to_owned());
        let refusal = Rejection::ControlCharacter { field };
        given([opened()]).when(command, context).then_rejected(refusal);
    }
}

#[test]
fn open_is_validated() {
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
fn open_allows_full_tags() {
    let words: Vec<String> = (1..=limits::TAGS).map(|n| n.to_string()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let open = Open { tags: tags(&words), ..request() };
    let outcome = Ticket::decide(None, &Command::Open(open), &ada());
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[test]
fn optional_reason_is_not_blank() {
    let refusal = || Rejection::Blank { field: "reason" };
    let prioritize = Command::Prioritize { priority: Priority::High, reason: text(" ") };
    given([opened()]).when(prioritize, ada()).then_rejected(refusal());
    let change = Command::ChangeRequester { requester: person("finn"), reason: text(" ") };
    given([opened()]).when(change, ada()).then_rejected(refusal());
    let reopen = Command::Reopen { reason: text(" ") };
    given([opened(), resolved()]).when(reopen, rita()).then_rejected(refusal());
}

#[test]
fn validation_precedes_status() {
    // as HTTP has it: 422 before 409
    given([]).when(Command::Note { body: String::new() }, ada()).then_rejected(Rejection::Blank { field: "body" });
}
