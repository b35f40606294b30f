//! Tickets as text for people.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::Names;
use crate::terminal::{columns, printable, width, wrap};

const TITLE: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const WHO: Style = AnsiColor::Cyan.on_default();

/// A table of a page of tickets.
pub(super) fn list(out: &mut impl Write, page: &Value) -> anyhow::Result<()> {
    let items = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if items.is_empty() {
        writeln!(out, "no tickets")?;
        return Ok(());
    }
    let mut table = columns(["NUMBER", "STATUS", "PRIORITY", "TEAM", "ASSIGNEE", "UPDATED", "SUBJECT"], &[0]);
    for ticket in items {
        table.add_row([
            format!("#{}", ticket["number"]),
            text(&ticket["status"]),
            text(&ticket["priority"]),
            text(&ticket["team"]),
            text(&ticket["assignee"]),
            time(&ticket["updated_at"]),
            text(&ticket["subject"]),
        ]);
    }
    writeln!(out, "{table}")?;
    if !page["next_cursor"].is_null() {
        writeln!(out, "{FAINT}there are more; --limit shows up to 200, filters narrow the list{FAINT:#}")?;
    }
    Ok(())
}

/// A ticket in one line, after a command.
pub(super) fn line(out: &mut impl Write, ticket: &Value) -> anyhow::Result<()> {
    let (number, version) = (&ticket["number"], &ticket["version"]);
    let (status, subject) = (text(&ticket["status"]), text(&ticket["subject"]));
    writeln!(out, "#{number} {subject}: {status} {FAINT}(version {version}){FAINT:#}")?;
    Ok(())
}

/// A ticket's details.
pub(super) fn ticket(out: &mut impl Write, ticket: &Value, names: &Names) -> anyhow::Result<()> {
    writeln!(out, "{TITLE}#{} {}{TITLE:#}", ticket["number"], text(&ticket["subject"]))?;
    let details = ["status", "hold_reason", "priority", "category", "team", "assignee", "channel"];
    let times = ["opened_at", "updated_at", "resolved_at", "reopen_until", "wake_at", "closed_at"];
    let words = |name: &&str| (!ticket[*name].is_null()).then(|| (name.replace('_', " "), text(&ticket[*name])));
    let moments = |name: &&str| (!ticket[*name].is_null()).then(|| (name.replace('_', " "), time(&ticket[*name])));
    let requester = ticket["requester"]["person_id"].as_str().map(|id| ("requester".to_owned(), named(id, names)));
    let tags = ticket["tags"].as_array().filter(|tags| !tags.is_empty());
    let tags = tags.map(|tags| ("tags".to_owned(), tags.iter().map(text).collect::<Vec<_>>().join(", ")));
    let lines = details.iter().filter_map(words).chain(requester).chain(tags).chain(times.iter().filter_map(moments));
    for (name, value) in lines {
        writeln!(out, "  {FAINT}{name:<12}{FAINT:#}  {value}")?;
    }
    Ok(())
}

/// The messages of a ticket, in order.
pub(super) fn conversation(out: &mut impl Write, messages: &[Value], names: &Names) -> anyhow::Result<()> {
    for message in messages {
        let author = &message["author"];
        let id = author["id"].as_str().unwrap_or("–");
        let who = format!("{} {}", text(&author["kind"]), named(id, names));
        let kind = text(&message["kind"]).replace('_', " ");
        writeln!(out, "\n{WHO}{who}{WHO:#} {FAINT}{kind}, {}{FAINT:#}", time(&message["time"]))?;
        let body = message["body"].as_str().unwrap_or_default();
        for line in wrap(body, usize::from(width()).saturating_sub(2)) {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

fn named(id: &str, names: &Names) -> String {
    printable(names.get(id).map_or(id, String::as_str))
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => printable(text),
        other => printable(&other.to_string()),
    }
}

/// To the minute, in UTC.
fn time(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    text.get(..16).map_or_else(|| printable(text), |minute| printable(&minute.replace('T', " ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ticket_is_one_line() {
        let mut out = Vec::new();
        line(&mut out, &json!({"number": 7, "version": 2, "status": "open", "subject": "a\u{202e}b"})).unwrap();
        let text = String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap();
        assert_eq!(text, "#7 a<U+202E>b: open (version 2)\n");
    }

    #[test]
    fn times_are_shown_to_the_minute() {
        assert_eq!(time(&json!("2026-01-31T09:30:59.123Z")), "2026-01-31 09:30");
    }
}
