//! The result of an import.

use std::io::Write;

use comfy_table::Table;
use serde::Serialize;

use crate::terminal::{grid, grouped, json, printable};

/// The result for one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is in the log.
    Applied,
    /// It changes nothing.
    WithoutEffect,
    /// An earlier run has put it into the log.
    ImportedBefore,
    /// It is not in the log, and this is why.
    Refused(String),
}

/// `rows = applied + without_effect + refused`; what was imported before has no effect now.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    rows: u64,
    applied: u64,
    without_effect: u64,
    refused: u64,
    refusals: Vec<RefusedRow>,
    #[serde(skip)]
    before: u64,
}

#[derive(Debug, Serialize)]
struct RefusedRow {
    row: u64,
    reason: String,
}

/// How many rows of a group of refusals are named.
const NAMED: usize = 8;

impl Report {
    pub(super) fn add(&mut self, row: u64, fate: Fate) {
        self.rows += 1;
        match fate {
            Fate::Applied => self.applied += 1,
            Fate::WithoutEffect => self.without_effect += 1,
            Fate::ImportedBefore => {
                self.without_effect += 1;
                self.before += 1;
            }
            Fate::Refused(reason) => {
                self.refused += 1;
                self.refusals.push(RefusedRow { row, reason });
            }
        }
    }

    /// For programs: one object, on the last line.
    pub(super) fn print_json(&self, out: &mut impl Write) -> anyhow::Result<()> {
        Ok(writeln!(out, "{}", json(self)?)?)
    }

    /// For people.
    pub(super) fn print(&self, out: &mut impl Write, source: &str) -> anyhow::Result<()> {
        let width = grouped(self.rows).len();
        let mut line = |count: u64, what: &str| writeln!(out, "  {:>width$}  {what}", grouped(count));
        line(self.rows, &format!("rows from {}", printable(source)))?;
        line(self.applied, "applied")?;
        line(self.without_effect - self.before, "no effect: the ticket was in that state already")?;
        if self.before > 0 {
            line(self.before, "imported before, by an earlier run")?;
        }
        line(self.refused, "refused")?;
        if self.refused > 0 {
            writeln!(out, "\n{}", self.refusals_table())?;
            writeln!(out, "Refused rows are not in the log; --json lists each of them.")?;
        }
        Ok(())
    }

    fn refusals_table(&self) -> Table {
        let mut groups: Vec<(String, &str, Vec<u64>)> = Vec::new();
        for RefusedRow { row, reason } in &self.refusals {
            let kind = without_digits(reason);
            match groups.iter_mut().find(|(known, _, _)| *known == kind) {
                Some((_, _, rows)) => rows.push(*row),
                None => groups.push((kind, reason, vec![*row])),
            }
        }
        groups.sort_by_key(|(_, _, rows)| std::cmp::Reverse(rows.len()));
        let mut table = grid(["refused", "reason", "rows"], &[0]);
        for (_, reason, rows) in &groups {
            table.add_row([grouped(rows.len() as u64), printable(reason), named(rows)]);
        }
        table
    }
}

/// Reasons that differ in a time or a number only are of one kind.
fn without_digits(reason: &str) -> String {
    reason.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}

fn named(rows: &[u64]) -> String {
    let mut text: Vec<String> = rows.iter().take(NAMED).map(ToString::to_string).collect();
    if rows.len() > NAMED {
        text.push("…".to_owned());
    }
    text.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::default();
        let fates = [
            Fate::Applied,
            Fate::WithoutEffect,
            Fate::ImportedBefore,
            Fate::Refused("at 10:00".into()),
            Fate::Refused("at 11:00".into()),
        ];
        for (row, fate) in (1..).zip(fates) {
            report.add(row, fate);
        }
        report
    }

    #[test]
    fn json_is_one_line_and_adds_up() {
        let mut out = Vec::new();
        report().print_json(&mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"rows\":5,\"applied\":1,\"without_effect\":2,\"refused\":2,\
             \"refusals\":[{\"row\":4,\"reason\":\"at 10:00\"},{\"row\":5,\"reason\":\"at 11:00\"}]}\n"
        );
    }

    #[test]
    fn refusals_are_grouped_by_kind() {
        let mut out = Vec::new();
        report().print(&mut out, "old").unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("at 10:00") && text.contains("4, 5") && !text.contains("at 11:00"), "{text}");
        assert!(text.contains("1  imported before"), "{text}");
    }
}
