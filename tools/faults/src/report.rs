//! What a run came to, for people and as JSON.

use std::collections::BTreeMap;
use std::io::Write;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use serde_json::{Value, json};

use crate::history::Broken;
use crate::recovery::Recovery;
use crate::rules::RULES;

/// The commands, counted.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Account {
    pub(crate) attempted: u64,
    pub(crate) acknowledged: u64,
    pub(crate) refused: u64,
    pub(crate) unknown: u64,
    /// Of the unknown: what was in the log.
    pub(crate) recovered: u64,
    /// Of the unknown: what was not.
    pub(crate) absent: u64,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) unexpected: u64,
}

/// What became of a fault, over all the times that it record.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct FaultRecord {
    pub(crate) times: u32,
    pub(crate) recovered: Vec<Recovery>,
    pub(crate) skipped: Vec<String>,
}

/// A whole run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) seconds: u64,
    pub(crate) events: u64,
    pub(crate) account: Account,
    pub(crate) faults: BTreeMap<String, FaultRecord>,
    pub(crate) answers: BTreeMap<String, u64>,
    pub(crate) broken: BTreeMap<u8, Broken>,
}

/// One line for who watches.
pub(crate) fn say(line: &str) {
    writeln!(anstream::stderr(), "{line}").ok();
}

impl Report {
    pub(crate) fn is_sound(&self) -> bool {
        self.broken.is_empty()
    }

    pub(crate) fn json(&self) -> Value {
        let rules: Vec<_> = RULES
            .iter()
            .map(|(number, rule)| {
                let broken = self.broken.get(number).cloned().unwrap_or_default();
                json!({"number": number, "rule": rule, "broken": broken.times, "evidence": broken.evidence})
            })
            .collect();
        json!({
            "seed": self.seed, "seconds": self.seconds, "events": self.events, "sound": self.is_sound(),
            "commands": self.account, "faults": self.faults, "answers": self.answers, "invariants": rules,
        })
    }

    pub(crate) fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        writeln!(out, "\n{}\n", self.fault_table())?;
        let a = &self.account;
        writeln!(
            out,
            "{} commands attempted: {} acknowledged, {} refused, {} of unknown outcome ({} were done, {} were not)",
            a.attempted, a.acknowledged, a.refused, a.unknown, a.recovered, a.absent
        )?;
        writeln!(out, "{} events: {} lost, {} doubled, {} unexpected", self.events, a.lost, a.doubled, a.unexpected)?;
        let answers: Vec<_> = self.answers.iter().map(|(what, times)| format!("{what}: {times}")).collect();
        writeln!(out, "answers: {}\n", answers.join(", "))?;
        for (number, rule) in RULES {
            match self.broken.get(number) {
                None => writeln!(out, "  {number:>2}  holds     {rule}")?,
                Some(broken) => {
                    writeln!(out, "  {number:>2}  VIOLATED  {rule} ({} times)", broken.times)?;
                    for evidence in &broken.evidence {
                        writeln!(out, "                {evidence}")?;
                    }
                }
            }
        }
        let verdict = if self.is_sound() { "all invariants hold" } else { "INVARIANTS ARE VIOLATED" };
        writeln!(out, "\nseed {}, {} s: {verdict}", self.seed, self.seconds)
    }

    fn fault_table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        table.set_header(["fault", "times", "writes: median", "longest", "readers: median", "longest", "skipped"]);
        for (name, record) in &self.faults {
            let writes: Vec<_> = record.recovered.iter().map(|recovered| recovered.writes).collect();
            let readers: Vec<_> = record.recovered.iter().map(|recovered| recovered.readers).collect();
            let mut row = vec![name.clone(), record.times.to_string()];
            row.extend([median(&writes), longest(&writes), median(&readers), longest(&readers)]);
            row.push(match record.skipped.as_slice() {
                [] => String::new(),
                [why, ..] => format!("{}: {why}", record.skipped.len()),
            });
            table.add_row(row);
        }
        for column in 1..=5 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }
}

fn sorted(times: &[Option<f64>]) -> Vec<f64> {
    let mut sorted: Vec<f64> = times.iter().map(|time| time.unwrap_or(f64::INFINITY)).collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn median(times: &[Option<f64>]) -> String {
    shown(sorted(times).get(times.len() / 2).copied())
}

fn longest(times: &[Option<f64>]) -> String {
    shown(sorted(times).last().copied())
}

fn shown(time: Option<f64>) -> String {
    match time {
        None => String::new(),
        Some(time) if time.is_finite() => format!("{time:.1} s"),
        Some(_) => "never".to_owned(),
    }
}
