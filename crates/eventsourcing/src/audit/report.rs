//! What an audit finds.

use eventstore::{Position, RecordedEvent, StreamId, StreamType, Version};

/// More findings than this are counted, not kept.
const KEPT: usize = 1_000;

/// Where the log breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The rule; stable.
    pub rule: &'static str,
    /// The position of the event.
    pub position: Option<Position>,
    /// The type of its stream.
    pub stream_type: Option<StreamType>,
    /// Its stream.
    pub stream: Option<StreamId>,
    /// Its version in the stream.
    pub version: Option<Version>,
    /// What is wrong.
    pub detail: String,
}

impl Finding {
    /// A finding about a stream rather than one of its events.
    pub fn of_stream(stream: StreamId, version: Option<Version>, breach: Breach) -> Self {
        let Breach { rule, detail } = breach;
        Self { rule, position: None, stream_type: None, stream: Some(stream), version, detail }
    }
}

/// What an audit found.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct AuditReport {
    /// How many events were read.
    pub events: u64,
    /// How many streams they belong to.
    pub streams: u64,
    /// How many times a rule is broken.
    pub broken: u64,
    /// The first thousand of them.
    pub findings: Vec<Finding>,
}

impl AuditReport {
    /// Adds a finding.
    pub fn add(&mut self, finding: Finding) {
        self.broken += 1;
        if self.findings.len() < KEPT {
            self.findings.push(finding);
        }
    }

    /// Adds a finding about an event.
    pub fn add_at(&mut self, event: &RecordedEvent, breach: Breach) {
        self.add(Finding {
            rule: breach.rule,
            position: Some(event.position),
            stream_type: Some(event.stream_type),
            stream: Some(event.stream_id),
            version: Some(event.version),
            detail: breach.detail,
        });
    }
}

/// What is wrong with a step: the rule that it breaks, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// A stable name.
    pub rule: &'static str,
    /// A sentence for an operator.
    pub detail: String,
}
