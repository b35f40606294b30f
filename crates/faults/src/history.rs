//! What the clients did and were told: invoke, then ok, refused or unknown. Nothing is concluded here.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use uuid::Uuid;

/// How an attempt ended.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Ok(Answer),
    /// 4xx: nothing was done.
    Refused(u16, String),
    /// A 5xx that says itself that nothing was carried out.
    Undone(String),
    /// A time-out, a lost connection, any other 5xx: it may have been done.
    Unknown(String),
}

/// What a successful answer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) etag: String,
    pub(crate) location: Option<String>,
    pub(crate) position: i64,
    pub(crate) body: Value,
    pub(crate) replayed: bool,
}

impl Answer {
    pub(crate) fn version(&self) -> i64 {
        self.etag.trim_matches('"').parse().unwrap_or(0)
    }

    pub(crate) fn ticket(&self) -> Option<Uuid> {
        self.body["id"].as_str()?.parse().ok()
    }

    /// Whether a retry was answered the same: all but that it says so.
    pub(crate) fn is_repeated_by(&self, retry: &Self) -> bool {
        retry.replayed && Self { replayed: self.replayed, ..retry.clone() } == *self
    }
}

/// One try of a command.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) sent: Instant,
    pub(crate) ended: Instant,
    pub(crate) outcome: Outcome,
}

/// A command and all that came of it. Every attempt sends the same request under the same key.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    /// Its idempotency key; and a word in what it writes, if it writes anything.
    pub(crate) nonce: String,
    pub(crate) path: String,
    pub(crate) body: Value,
    /// The text that must stand in one event.
    pub(crate) text: Option<String>,
    pub(crate) ticket: Option<Uuid>,
    pub(crate) if_match: Option<i64>,
    pub(crate) attempts: Vec<Attempt>,
}

/// What is known of a command from its answers alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Acknowledged,
    /// Every answer said that nothing was done.
    Refused,
    Unknown,
}

impl Command {
    pub(crate) fn known(&self) -> Known {
        if self.answer().is_some() {
            Known::Acknowledged
        } else if self.attempts.iter().any(|a| matches!(a.outcome, Outcome::Unknown(_))) {
            Known::Unknown
        } else {
            Known::Refused
        }
    }

    /// The first good answer.
    pub(crate) fn answer(&self) -> Option<&Answer> {
        self.acknowledged().map(|(answer, _)| answer)
    }

    /// The first good answer, and when it came.
    pub(crate) fn acknowledged(&self) -> Option<(&Answer, Instant)> {
        self.attempts.iter().find_map(|attempt| match &attempt.outcome {
            Outcome::Ok(answer) => Some((answer, attempt.ended)),
            _ => None,
        })
    }
}

/// The history of a run.
#[derive(Debug, Default)]
pub(crate) struct History {
    commands: Mutex<Vec<Command>>,
}

impl History {
    pub(crate) fn add(&self, command: Command) {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner).push(command);
    }

    pub(crate) fn take(&self) -> Vec<Command> {
        std::mem::take(&mut *self.commands.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A rule that was found broken: how often, and where first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Broken {
    pub(crate) times: u64,
    pub(crate) evidence: Vec<String>,
}

/// What was found against each invariant, by its number in `RULES`.
#[derive(Debug)]
pub(crate) struct Findings {
    began: Instant,
    broken: Mutex<std::collections::BTreeMap<u8, Broken>>,
}

/// How many findings of a rule are kept word for word.
const KEPT: usize = 5;

impl Findings {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), broken: Mutex::default() }
    }

    /// Notes a breach of a rule.
    pub(crate) fn add(&self, rule: u8, evidence: impl Into<String>) {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = broken.entry(rule).or_default();
        entry.times += 1;
        if entry.evidence.len() < KEPT {
            entry.evidence.push(format!("at {}: {}", seconds(self.began.elapsed()), evidence.into()));
        }
    }

    pub(crate) fn all(&self) -> std::collections::BTreeMap<u8, Broken> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// As people read it.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
