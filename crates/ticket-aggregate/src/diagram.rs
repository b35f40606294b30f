//! The table, drawn for people.

use shared_kernel::Role;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::table::{Effect, Row, TABLE};
use crate::value::Status;

/// From where, or out of nothing, to where.
type Arrow = (Option<Status>, Status);

/// The state machine as a Mermaid state diagram: one arrow from status to status, labelled with the commands that lead
/// there and who may issue them.
pub fn mermaid() -> String {
    let mut arrows: BTreeMap<Arrow, BTreeMap<String, Vec<&str>>> = BTreeMap::new();
    for row in TABLE {
        let Effect::To(to) = row.effect else { continue };
        let before_opening = row.from.is_empty().then_some(None);
        for from in row.from.iter().copied().map(Some).chain(before_opening) {
            let by = arrows.entry((from, to)).or_default();
            by.entry(roles(row)).or_default().push(row.command.as_str());
        }
    }
    let mut drawing = String::from("stateDiagram-v2\n");
    for ((from, to), by) in arrows {
        let from = from.map_or("[*]", Status::as_str);
        let label = |(roles, commands): (&String, &Vec<&str>)| format!("{} ({roles})", commands.join(", "));
        let labels: Vec<String> = by.iter().map(label).collect();
        // writing to a String can't fail
        let _ = writeln!(drawing, "    {from} --> {to}: {}", labels.join(", "));
    }
    drawing.push_str("    closed --> [*]\n");
    drawing
}

/// Every row of the state machine as a Markdown table, with what leaves the status alone too.
pub fn command_table() -> String {
    let mut table = String::from("| command | by | in | then |\n|---|---|---|---|\n");
    for row in TABLE {
        let from = match row.from {
            [] => "–".to_owned(),
            from if from.len() == Status::ALL.len() => "any".to_owned(),
            from => words(from.iter().map(|status| status.as_str())),
        };
        let then = match row.effect {
            Effect::To(status) => status.as_str(),
            Effect::Stays => "the same",
            Effect::FollowUp => "the same; a new ticket follows up",
        };
        let _ = writeln!(table, "| {} | {} | {from} | {then} |", row.command, roles(row));
    }
    table
}

/// Agents stand for leads and admins too, as long as all of them may.
fn roles(row: &Row) -> String {
    if row.roles.len() == Role::ALL.len() {
        return "anyone".to_owned();
    }
    let higher = |role: &Role| matches!(role, Role::Lead | Role::Admin);
    let agents = row.roles.contains(&Role::Agent);
    let named = row.roles.iter().filter(|role| !(agents && higher(role)));
    words(named.map(|role| role.as_str()))
}

fn words<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}
