//! What the clients did and were told: invoke, then ok, refused or unknown. Nothing is concluded here.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
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

    /// In what a retry was answered otherwise; nothing, where it was answered the same.
    pub(crate) fn differs_from(&self, retry: &Self) -> Vec<String> {
        let told = |answer: &Self| {
            let head = json!({"status": answer.status, "etag": answer.etag, "location": answer.location, "position": answer.position});
            let body = answer.body.as_object().cloned().unwrap_or_default();
            head.as_object().cloned().unwrap_or_default().into_iter().chain(body).collect::<serde_json::Map<_, _>>()
        };
        let (first, again) = (told(self), told(retry));
        let mut differences: Vec<_> = first
            .iter()
            .filter(|(name, value)| again.get(*name) != Some(value))
            .map(|(name, value)| format!("{name} was {value}, and is {}", again.get(name).unwrap_or(&Value::Null)))
            .collect();
        if first.len() != again.len() {
            differences.push("it has other members".to_owned());
        }
        if !retry.replayed {
            differences.push("it does not say that it is a repetition".to_owned());
        }
        differences
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
/// And how much of one, in characters.
const LONGEST: usize = 500;

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
            let evidence: String = evidence.into().chars().take(LONGEST).collect();
            entry.evidence.push(format!("at {}: {evidence}", seconds(self.began.elapsed())));
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
