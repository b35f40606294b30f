//! What was promised, what was seen, and whether the one is the other.

use std::fmt;
use std::time::Duration;

use comfy_table::{Cell, Table, presets};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::attack::{Answers, Attack, IDLE, Promise};
use crate::ledger::Account;
use crate::steady::{Sample, What, quantile};

/// How much slower other callers may be than in quiet times.
const SLOWER: f64 = 2.0;
/// Within which differences say nothing: a turn of the scheduler's, when attacker, callers, server and database share
/// the processors.
const GRAIN: Duration = Duration::from_millis(5);
const RECOVERY: Duration = Duration::from_secs(30);
/// How much memory may stay behind after an attack, and how much may be taken in it, in KiB.
const KEPT: u64 = 64 * 1024;
const TAKEN: u64 = 512 * 1024;
/// How soon a command that can't be carried out hears so, for nine of ten.
const SOON: Duration = Duration::from_secs(1);

/// One attack, as it went.
pub(crate) struct Row {
    pub(crate) attack: Attack,
    pub(crate) before: Vec<Sample>,
    pub(crate) during: Vec<Sample>,
    pub(crate) lasted: Duration,
    pub(crate) recovered: Option<Duration>,
    /// Before, at the most, and after, in KiB.
    pub(crate) memory: (u64, u64, u64),
    /// Processor time of the server, and of attacker and callers.
    pub(crate) busy: (Duration, Duration),
    pub(crate) answers: Answers,
}

impl Row {
    /// The samples that the promise is about.
    fn promised<'a>(&self, samples: &'a [Sample]) -> Vec<Sample> {
        let of = |sample: &&'a Sample| match self.attack.promise {
            Promise::Unharmed | Promise::Shed => true,
            Promise::ListsUnharmed => sample.what == What::List,
        };
        samples.iter().filter(of).copied().collect()
    }

    fn p99(&self) -> (Duration, Duration) {
        let answered = self.promised(&self.during).into_iter().filter(Sample::is_answered).collect::<Vec<_>>();
        (quantile(&self.promised(&self.before), 99), quantile(&answered, 99))
    }

    fn ratio(&self) -> f64 {
        let (quiet, attacked) = self.p99();
        attacked.as_secs_f64() / quiet.as_secs_f64().max(1e-6)
    }

    fn refused(&self) -> usize {
        self.during.iter().filter(|sample| !sample.is_answered()).count()
    }

    /// What is broken.
    fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let mut hold = |kept: bool, what: String| broken.extend((!kept).then_some(what));
        let promised = self.promised(&self.during);
        let (quiet, attacked) = self.p99();
        if self.attack.promise != Promise::Shed {
            let failed = promised.iter().filter(|sample| !sample.is_answered()).count();
            hold(failed == 0, format!("{failed} of other callers' requests failed"));
            let within = self.ratio() <= SLOWER || attacked <= quiet + GRAIN;
            hold(within, format!("p99 {:.1} times the quiet one", self.ratio()));
        }
        let untold = self.during.iter().filter(|s| !(s.is_answered() || s.status == 503 && s.retry_after)).count();
        hold(untold == 0, format!("{untold} not answered were not told 503 with Retry-After"));
        if self.attack.promise == Promise::ListsUnharmed {
            let commands = self.during.iter().filter(|s| s.what == What::Note).copied().collect::<Vec<_>>();
            let soon = quantile(&commands, 90);
            hold(soon <= SOON, format!("p90 of commands {soon:?}"));
        }
        let silent = self.answers.without_retry_after;
        hold(silent == 0, format!("{silent} answers without Retry-After"));
        let recovered = self.recovered.is_some_and(|after| after <= RECOVERY);
        hold(recovered, format!("recovered after {:?}", self.recovered));
        let (before, peak, after) = self.memory;
        hold(after <= before + KEPT, format!("{} MiB stay behind", (after.saturating_sub(before)) / 1024));
        hold(peak <= before + TAKEN, format!("{} MiB were taken", (peak.saturating_sub(before)) / 1024));
        broken
    }

    fn cells(&self) -> Vec<Cell> {
        let (quiet, attacked) = self.p99();
        let (before, peak, after) = self.memory;
        let share = |busy: Duration| format!("{:.0} %", 100.0 * busy.as_secs_f64() / self.lasted.as_secs_f64());
        let broken = self.broken();
        [
            self.attack.what.to_owned(),
            millis(quiet),
            millis(attacked),
            format!("{:.1}", self.ratio()),
            format!("{} of {}", self.refused(), self.during.len()),
            self.told(),
            self.recovered.map_or("never".into(), |after| format!("{:.1} s", after.as_secs_f64())),
            format!("{} / {} / {}", before / 1024, peak / 1024, after / 1024),
            format!("{}, {}", share(self.busy.0), share(self.busy.1)),
            if broken.is_empty() { "kept".into() } else { broken.join("; ") },
        ]
        .map(Cell::new)
        .into()
    }

    /// What the attacker was answered.
    fn told(&self) -> String {
        let statuses = self.answers.statuses.iter().map(|(status, times)| format!("{status} × {times}"));
        let cut_off = (self.answers.cut_off > 0).then(|| format!("cut off × {}", self.answers.cut_off));
        statuses.chain(cut_off).collect::<Vec<_>>().join(", ")
    }

    fn json(&self) -> Value {
        let (quiet, attacked) = self.p99();
        let (before, peak, after) = self.memory;
        json!({
            "attack": self.attack.name, "what": self.attack.what,
            "p50_ms": [in_millis(quantile(&self.promised(&self.before), 50)), in_millis(quantile(&self.promised(&self.during), 50))],
            "p99_ms": [in_millis(quiet), in_millis(attacked)], "ratio": self.ratio(),
            "requests": self.during.len(), "not_answered": self.refused(), "attacker": self.answers,
            "recovered_s": self.recovered.map(|after| after.as_secs_f64()),
            "memory_kib": {"before": before, "peak": peak, "after": after},
            "cpu_s": {"server": self.busy.0.as_secs_f64(), "clients": self.busy.1.as_secs_f64()},
            "lasted_s": self.lasted.as_secs_f64(), "broken": self.broken(),
        })
    }
}

/// All of it.
pub(crate) struct Report {
    rows: Vec<Row>,
    account: Account,
    memory: u64,
}

impl Report {
    pub(crate) fn of(rows: Vec<Row>, account: Account, memory: u64) -> Self {
        Self { rows, account, memory }
    }

    /// Whether every promise is: of several rounds in most of them, but for what must never be.
    pub(crate) fn is_kept(&self) -> bool {
        let names = self.rows.iter().map(|row| row.attack.name).collect::<std::collections::BTreeSet<_>>();
        let mostly = names.into_iter().all(|name| {
            let rounds = self.rows.iter().filter(|row| row.attack.name == name).collect::<Vec<_>>();
            rounds.iter().filter(|row| row.broken().is_empty()).count() * 2 > rounds.len()
        });
        let Account { lost, doubled, unexpected, .. } = self.account;
        mostly && lost + doubled + unexpected == 0
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = self.rows.iter().map(Row::json).collect::<Vec<_>>();
        json!({"attacks": rows, "log": self.account, "memory_kib": self.memory, "kept": self.is_kept()})
            .serialize(serializer)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED).set_header([
            "attack",
            "quiet p99",
            "p99",
            "ratio",
            "not answered 2xx",
            "the attacker heard",
            "recovered",
            "MiB before / peak / after",
            "CPU server, clients",
            "promises",
        ]);
        for row in &self.rows {
            table.add_row(row.cells());
        }
        writeln!(f, "{table}")?;
        if let Some(row) = self.rows.iter().find(|row| row.attack.name == "idle") {
            let each = row.memory.1.saturating_sub(row.memory.0) * 1024 / IDLE as u64;
            writeln!(f, "An idle connection takes {each} bytes of the server's memory.")?;
        }
        let Account { acknowledged, refused, unknown, lost, doubled, unexpected } = self.account;
        writeln!(f, "Notes: {acknowledged} acknowledged, {refused} refused, {unknown} of unknown outcome.")?;
        writeln!(
            f,
            "In the log: {lost} lost, {doubled} doubled, {unexpected} that were refused. The audit finds nothing."
        )?;
        write!(f, "{}", if self.is_kept() { "Every promise is kept." } else { "Promises are broken." })
    }
}

fn in_millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e5).round() / 100.0
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", in_millis(time))
}
