//! A replay as text for people.

use std::io::Write;

use anstyle::{AnsiColor, Style};

use super::description;
use super::diff::{self, Change};
use super::replay::{Replay, Step};

use crate::names::{self, Names};
use crate::terminal::{counted, printable, width, wrap};

const TITLE: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const WHO: Style = AnsiColor::Cyan.on_default();
const CHANGED: Style = AnsiColor::Yellow.on_default();

/// Longer messages are cut; `--json` has them whole.
const MESSAGE_LINES: usize = 12;

/// Fields that each event changes, and that its line shows anyway.
const IMPLIED: [&str; 2] = ["version", "updated_at"];

/// The fields that are shown first.
const FIRST: [&str; 7] = ["status", "subject", "priority", "category", "team", "assignee", "requester"];

/// Prints the header, the events, the state.
pub(super) fn print(out: &mut impl Write, replay: &Replay, known: &Names, with_diff: bool) -> std::io::Result<()> {
    header(out, replay, known)?;
    let digits = replay.steps.len().to_string().len();
    for step in &replay.steps {
        event(out, step, known, digits)?;
        if with_diff {
            changes(out, &step.changes, known, digits)?;
        }
    }
    state(out, replay, known)
}

fn header(out: &mut impl Write, replay: &Replay, known: &Names) -> std::io::Result<()> {
    let text = |field: &str| replay.state.get(field).map(diff::shown).unwrap_or_default();
    if replay.state.contains_key("number") {
        writeln!(out, "{TITLE}#{} {}{TITLE:#}", text("number"), printable(&text("subject")))?;
        let requester = replay.state.get("requester").map_or_else(|| "nobody".to_owned(), diff::shown);
        writeln!(out, "requested by {}", printable(&known.put(&requester)))?;
    } else {
        let name = known.get(replay.id).unwrap_or(&replay.called);
        writeln!(out, "{TITLE}{} {}{TITLE:#}", replay.label, printable(name))?;
    }
    let (shown, of) = (replay.steps.len(), replay.of);
    let all = counted(of as u64, "event");
    let events = if shown == of { all } else { format!("the first {shown} of {all}") };
    writeln!(out, "{FAINT}{} {} · {events} · times in UTC{FAINT:#}\n", replay.label, replay.id)
}

fn event(out: &mut impl Write, step: &Step, known: &Names, digits: usize) -> std::io::Result<()> {
    let version = step.version;
    let time = description::time(step.occurred_at);
    let who = step.actor.as_ref().map_or_else(|| "?".to_owned(), names::actor);
    let (who, sentence) = (printable(&known.put(&who)), printable(&known.put(&step.sentence)));
    writeln!(out, "{version:>digits$}  {FAINT}{time}{FAINT:#}  {WHO}{who}{WHO:#}: {sentence}")?;
    let indent = " ".repeat(digits + 4);
    if let Some(message) = &step.message {
        let lines = wrap(message, usize::from(width()).saturating_sub(indent.len() + 2));
        for line in lines.iter().take(MESSAGE_LINES) {
            writeln!(out, "{indent}{FAINT}│{FAINT:#} {line}")?;
        }
        if lines.len() > MESSAGE_LINES {
            writeln!(out, "{indent}{FAINT}│ … {} more lines; --json has them{FAINT:#}", lines.len() - MESSAGE_LINES)?;
        }
    }
    if let Some(cause) = &step.cause {
        writeln!(out, "{indent}{FAINT}{}{FAINT:#}", printable(&description::cause(cause)))?;
    }
    Ok(())
}

fn changes(out: &mut impl Write, changes: &[Change], known: &Names, digits: usize) -> std::io::Result<()> {
    let indent = " ".repeat(digits + 4);
    for Change { field, from, to } in changes {
        if IMPLIED.contains(&field.as_str()) || diff::is_empty(from) && diff::is_empty(to) {
            continue;
        }
        let (from, to) = (one_line(&known.put(&diff::shown(from))), one_line(&known.put(&diff::shown(to))));
        writeln!(out, "{indent}{CHANGED}{field}: {from} → {to}{CHANGED:#}")?;
    }
    Ok(())
}

fn state(out: &mut impl Write, replay: &Replay, known: &Names) -> std::io::Result<()> {
    let version = replay.version;
    writeln!(out, "\n{TITLE}State at version {version}{TITLE:#}")?;
    let in_the_header = ["id", "version"];
    let filled =
        replay.state.iter().filter(|(field, value)| !in_the_header.contains(&field.as_str()) && !diff::is_empty(value));
    let mut filled: Vec<_> = filled.collect();
    filled.sort_by_key(|(field, _)| FIRST.iter().position(|first| first == field).unwrap_or(FIRST.len()));
    let widest = filled.iter().map(|(field, _)| field.len()).max().unwrap_or_default();
    for (field, value) in filled {
        writeln!(out, "  {FAINT}{field:<widest$}{FAINT:#}  {}", one_line(&known.put(&diff::shown(value))))?;
    }
    Ok(())
}

/// A text cut to one line.
fn one_line(text: &str) -> String {
    const MOST: usize = 70;
    let line = printable(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    if line.chars().count() <= MOST {
        return line;
    }
    line.chars().take(MOST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut() {
        assert_eq!(one_line("a\nb"), "a b");
        assert_eq!(one_line(&"y".repeat(100)).chars().count(), 70);
    }
}
