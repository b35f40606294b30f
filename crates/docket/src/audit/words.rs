//! What happened, in plain words.

use chrono::{DateTime, Utc};
use serde_json::Value;
use shared_kernel::DomainEvent;
use ticket_aggregate::{Event, TicketOpened};

/// An event as a sentence, and the message that it carries.
pub(super) struct Words<'a> {
    pub(super) sentence: String,
    pub(super) message: Option<&'a str>,
}

/// Tells an event.
pub(super) fn words(event: &Event) -> Words<'_> {
    match event {
        Event::TicketOpened(opened) => Words { sentence: opening(opened), message: Some(&opened.body) },
        Event::PublicReplyAdded { body, recipients, .. } => {
            let to = if recipients.is_empty() { "nobody".to_owned() } else { recipients.join(", ") };
            Words { sentence: format!("replied to {to}"), message: Some(body) }
        }
        Event::RequesterReplied { body, .. } => Words { sentence: "wrote".to_owned(), message: Some(body) },
        Event::InternalNoteAdded { body, .. } => {
            Words { sentence: "noted, for agents".to_owned(), message: Some(body) }
        }
        event => Words { sentence: change(event).unwrap_or_else(|| step(event)), message: None },
    }
}

/// Why it happened, where it was not the actor's own wish.
pub(super) fn cause(cause: &Value) -> String {
    match (cause["kind"].as_str(), cause["source"].as_str(), cause["row"].as_u64()) {
        (Some("import"), Some(source), Some(row)) => format!("import of {source}, row {row}"),
        _ => cause.to_string(),
    }
}

pub(super) fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S%.f").to_string()
}

fn opening(opened: &TicketOpened) -> String {
    let mut details = vec![format!("priority {}", opened.priority)];
    details.extend(opened.team.as_ref().map(|team| format!("team {team}")));
    details.extend(opened.category.as_ref().map(|category| format!("category {category}")));
    if !opened.tags.is_empty() {
        details.push(format!("tags {}", list(&opened.tags)));
    }
    details.extend(opened.source_id.as_ref().map(|source| format!("source {source}")));
    details.extend(opened.follow_up_of.map(|before| format!("follow-up of {before}")));
    format!("opened by {}: {} ({})", opened.channel, opened.subject, details.join(", "))
}

/// What describes the ticket, and whose it is.
fn change(event: &Event) -> Option<String> {
    Some(match event {
        Event::AgentAssigned { from: None, to, method } => format!("assigned to {to} ({method})"),
        Event::AgentAssigned { from: Some(from), to, method } => format!("assigned to {to} ({method}), before: {from}"),
        Event::AgentUnassigned { from, reason } => format!("taken from {from}{}", because(reason.as_deref())),
        Event::TeamAssigned { from, to } => format!("team {} → {to}", or_none(from.as_ref())),
        Event::PriorityChanged { from, to, reason } => format!("priority {from} → {to}{}", because(reason.as_deref())),
        Event::CategoryChanged { from, to } => format!("category {} → {to}", or_none(from.as_ref())),
        Event::TagsAdded { tags } => format!("tagged {}", list(tags)),
        Event::TagsRemoved { tags } => format!("tags removed: {}", list(tags)),
        Event::SubjectChanged { from, to } => format!("subject {from:?} → {to:?}"),
        Event::TicketLinked { kind, other } => format!("linked: {kind} {other}"),
        Event::TicketUnlinked { kind, other } => format!("link removed: {kind} {other}"),
        Event::FollowerAdded { follower } => format!("{follower} follows"),
        Event::FollowerRemoved { follower } => format!("{follower} follows no more"),
        _ => return None,
    })
}

/// Where the ticket stands.
fn step(event: &Event) -> String {
    match event {
        Event::WorkStarted {} => "work started".to_owned(),
        Event::TicketPended {} => "waits for the requester".to_owned(),
        Event::TicketPutOnHold { reason, wake_at } => {
            let until = wake_at.map(|at| format!(" (until {})", time(at))).unwrap_or_default();
            format!("put on hold{}{until}", because(reason.as_deref()))
        }
        Event::TicketResumed { trigger } => format!("resumed ({trigger})"),
        Event::TicketResolved { code, reopen_until } => {
            format!("resolved: {code} (can be reopened until {})", time(*reopen_until))
        }
        Event::TicketReopened { reason, count, trigger } => {
            format!("reopened{} ({trigger}, time {count})", because(reason.as_deref()))
        }
        Event::TicketClosed { reason } => format!("closed ({reason})"),
        // its name says more than nothing
        other => other.event_type().to_owned(),
    }
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}

fn or_none(text: Option<&impl std::fmt::Display>) -> String {
    text.map_or_else(|| "none".to_owned(), ToString::to_string)
}

fn list(items: &std::collections::BTreeSet<ticket_aggregate::Tag>) -> String {
    items.iter().map(ticket_aggregate::Tag::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(event: Value) -> String {
        words(&serde_json::from_value(event).unwrap()).sentence
    }

    #[test]
    fn events_are_told_in_plain_words() {
        let assigned = json!({"ticket.agent_assigned": {"from": null, "to": "ada", "method": "manual"}});
        assert_eq!(told(assigned), "assigned to ada (manual)");
        let priority =
            json!({"ticket.priority_changed": {"from": "normal", "to": "high", "reason": "customer is down"}});
        assert_eq!(told(priority), "priority normal → high: customer is down");
        let hold = json!({"ticket.put_on_hold": {"reason": "parts", "wake_at": "2026-01-02T03:04:05Z"}});
        assert_eq!(told(hold), "put on hold: parts (until 2026-01-02 03:04:05)");
        assert_eq!(told(json!({"ticket.closed": {"reason": "resolved"}})), "closed (resolved)");
        assert_eq!(told(json!({"ticket.team_assigned": {"from": null, "to": "one"}})), "team none → one");
    }

    #[test]
    fn an_imports_cause_names_the_row() {
        assert_eq!(cause(&json!({"kind": "import", "source": "old", "row": 7})), "import of old, row 7");
        assert_eq!(cause(&json!({"kind": "policy"})), r#"{"kind":"policy"}"#);
    }
}
