//! Events described in words.

use chrono::{DateTime, Utc};
use serde_json::Value;
use shared_kernel::DomainEvent;
use ticket_aggregate::{Event, TicketOpened};

/// An event as a sentence, and the message that it carries.
pub(super) struct Description<'a> {
    pub(super) sentence: String,
    pub(super) message: Option<&'a str>,
}

pub(super) fn describe(event: &Event) -> Description<'_> {
    match event {
        Event::TicketOpened(opened) => {
            Description { sentence: opening(opened), message: Some(&opened.personal.text.body) }
        }
        Event::PublicReplyAdded { personal, recipients, .. } => {
            let to = recipients.iter().map(|recipient| recipient.person.to_string()).collect::<Vec<_>>();
            let to = if to.is_empty() { "nobody".to_owned() } else { to.join(", ") };
            Description { sentence: format!("replied to {to}"), message: Some(&personal.text.body) }
        }
        Event::RequesterReplied { personal, .. } => {
            Description { sentence: "wrote".to_owned(), message: Some(&personal.text.body) }
        }
        Event::InternalNoteAdded { personal, .. } => {
            Description { sentence: "internal note".to_owned(), message: Some(&personal.text.body) }
        }
        event => Description { sentence: change(event).unwrap_or_else(|| step(event)), message: None },
    }
}

/// The cause that is recorded with an event.
pub(super) fn cause(cause: &Value) -> String {
    match (cause["kind"].as_str(), cause["source"].as_str(), cause["row"].as_u64()) {
        (Some("import"), Some(source), Some(row)) => format!("imported from {source}, row {row}"),
        _ => format!("caused by {cause}"),
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
    format!("opened by {}: {} ({})", opened.channel, opened.personal.text.subject, details.join(", "))
}

/// Changes of details and assignment.
fn change(event: &Event) -> Option<String> {
    Some(match event {
        Event::AgentAssigned { from: None, to, method } => format!("assigned to {to} ({method})"),
        Event::AgentAssigned { from: Some(from), to, method } => format!("reassigned from {from} to {to} ({method})"),
        Event::AgentUnassigned { from, reason } => format!("unassigned from {from}{}", because(reason.as_deref())),
        Event::TeamAssigned { from, to } => format!("team {} → {to}", or_none(from.as_ref())),
        Event::PriorityChanged { from, to, reason } => format!("priority {from} → {to}{}", because(reason.as_deref())),
        Event::CategoryChanged { from, to } => format!("category {} → {to}", or_none(from.as_ref())),
        Event::TagsAdded { tags } => format!("tagged {}", list(tags)),
        Event::TagsRemoved { tags } => format!("tags removed: {}", list(tags)),
        Event::SubjectChanged { personal } => format!("subject {:?} → {:?}", personal.text.from, personal.text.to),
        Event::RequesterChanged { from, to, reason } => {
            format!("requester {} → {to}{}", or_none(from.as_ref()), because(reason.as_deref()))
        }
        Event::TicketLinked { kind, other } => format!("linked: {kind} {other}"),
        Event::TicketUnlinked { kind, other } => format!("link removed: {kind} {other}"),
        Event::FollowerAdded { follower } => format!("{follower} follows"),
        Event::FollowerRemoved { follower } => format!("{follower} no longer follows"),
        _ => return None,
    })
}

/// Changes of status.
fn step(event: &Event) -> String {
    match event {
        Event::WorkStarted {} => "work started".to_owned(),
        Event::TicketPended {} => "waiting for the requester".to_owned(),
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
        // every other event has a sentence above
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

    fn sentence(event: Value) -> String {
        describe(&serde_json::from_value(event).unwrap()).sentence
    }

    #[test]
    fn events_have_sentences() {
        let ada = shared_kernel::testing::agent("ada");
        let assigned = json!({"ticket.agent_assigned": {"from": null, "to": ada, "method": "manual"}});
        assert_eq!(sentence(assigned), format!("assigned to {ada} (manual)"));
        let priority =
            json!({"ticket.priority_changed": {"from": "normal", "to": "high", "reason": "customer is down"}});
        assert_eq!(sentence(priority), "priority normal → high: customer is down");
        let hold = json!({"ticket.put_on_hold": {"reason": "parts", "wake_at": "2026-01-02T03:04:05Z"}});
        assert_eq!(sentence(hold), "put on hold: parts (until 2026-01-02 03:04:05)");
        assert_eq!(sentence(json!({"ticket.closed": {"reason": "resolved"}})), "closed (resolved)");
        let one = shared_kernel::testing::team("one");
        let routed = json!({"ticket.team_assigned": {"from": null, "to": one}});
        assert_eq!(sentence(routed), format!("team none → {one}"));
    }

    #[test]
    fn cause_of_an_import_names_the_row() {
        assert_eq!(cause(&json!({"kind": "import", "source": "old", "row": 7})), "imported from old, row 7");
        assert_eq!(cause(&json!({"kind": "policy"})), r#"caused by {"kind":"policy"}"#);
    }
}
