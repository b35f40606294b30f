//! Reads the whole log and holds it to the invariants: positions and versions without a gap, times that don't run
//! backwards, events that can be read, steps that the aggregates' rules allow.
//!
//! Two passes: [`check_log_order`] along the log keeps no more than a version for each stream; [`check_streams`] along
//! each stream keeps no more than that stream's state.

use std::collections::HashMap;
use std::pin::pin;

use chrono::{DateTime, Utc};
use eventstore::{EventStore, Position, RecordedEvent, StoreError, StreamId, StreamType, Version};
use futures_util::TryStreamExt;
use shared_kernel::Aggregate;

use crate::codec;

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

/// Checks the streams of one aggregate, one after the other, event by event.
pub trait StreamAudit: Send {
    /// The type of the streams that it checks.
    fn stream_type(&self) -> StreamType;

    /// The events of another stream follow.
    fn next_stream(&mut self);

    /// Checks an event against the fold of those before it, and folds it.
    ///
    /// # Errors
    /// What is wrong with it.
    fn step(&mut self, event: &RecordedEvent) -> Result<(), Breach>;
}

/// The audit of an aggregate's streams.
#[derive(Debug)]
pub struct FoldAudit<A: Aggregate> {
    state: Option<A::State>,
}

impl<A: Aggregate> Default for FoldAudit<A> {
    fn default() -> Self {
        Self { state: None }
    }
}

impl<A: Aggregate> StreamAudit for FoldAudit<A> {
    fn stream_type(&self) -> StreamType {
        codec::stream_type::<A>()
    }

    fn next_stream(&mut self) {
        self.state = None;
    }

    fn step(&mut self, recorded: &RecordedEvent) -> Result<(), Breach> {
        let decoded = shared_kernel::codec::decode(&recorded.event_type, recorded.schema_version, &recorded.payload);
        let event: A::Event =
            decoded.map_err(|error| Breach { rule: "unreadable_event", detail: codec::chain(&error) })?;
        let legal = A::check_step(self.state.as_ref(), &event);
        let stamp = codec::stamp(recorded.version, recorded.occurred_at);
        self.state = A::evolve(self.state.take(), &event, &stamp);
        legal.map_err(|error| Breach { rule: "illegal_step", detail: codec::chain(&*error) })
    }
}

/// Checks positions, versions and times along the log. `progress` hears how many events have been read.
///
/// # Errors
/// If the database fails.
pub async fn check_log_order(
    store: &EventStore,
    report: &mut AuditReport,
    progress: &mut (impl FnMut(u64) + Send),
) -> Result<(), StoreError> {
    let mut events = pin!(store.read_log(Position(0)));
    let mut last: Option<(Position, DateTime<Utc>)> = None;
    let mut streams: HashMap<StreamId, Version> = HashMap::new();
    while let Some(event) = events.try_next().await? {
        let (before, time) = last.unwrap_or((Position(0), event.recorded_at));
        if event.position.0 != before.0 + 1 {
            let detail = format!("follows on position {before}: what is in between is missing");
            report.add_at(&event, Breach { rule: "position_gap", detail });
        }
        if event.recorded_at < time {
            let detail = format!("recorded at {}, after {time}", event.recorded_at);
            report.add_at(&event, Breach { rule: "recorded_at_backwards", detail });
        }
        // versions rise along positions, or the two orders contradict each other
        let version = streams.entry(event.stream_id).or_default();
        if event.version <= *version {
            let detail = format!("comes after version {version} in the log");
            report.add_at(&event, Breach { rule: "version_order", detail });
        }
        *version = (*version).max(event.version);
        last = Some((event.position, event.recorded_at));
        report.events += 1;
        progress(report.events);
    }
    report.streams = u64::try_from(streams.len()).expect("a count fits");
    Ok(())
}

/// Checks each stream from its beginning, by the audit of its type. `progress` goes on from the events already read.
///
/// # Errors
/// If the database fails.
pub async fn check_streams(
    store: &EventStore,
    audits: &mut [Box<dyn StreamAudit>],
    report: &mut AuditReport,
    progress: &mut (impl FnMut(u64) + Send),
) -> Result<(), StoreError> {
    let mut events = pin!(store.read_streams());
    let mut before: Option<RecordedEvent> = None;
    let mut read = report.events;
    while let Some(event) = events.try_next().await? {
        let previous = before.take().filter(|before| before.stream_id == event.stream_id);
        if previous.is_none() {
            for audit in audits.iter_mut() {
                audit.next_stream();
            }
        }
        check_order_in_stream(previous.as_ref(), &event, report);
        let audit = audits.iter_mut().find(|audit| audit.stream_type() == event.stream_type);
        let step = audit.map_or_else(|| Err(unknown_type(&event)), |audit| audit.step(&event));
        if let Err(breach) = step {
            report.add_at(&event, breach);
        }
        before = Some(event);
        read += 1;
        progress(read);
    }
    Ok(())
}

fn unknown_type(event: &RecordedEvent) -> Breach {
    let detail = format!("this program knows no streams of the type {}", event.stream_type);
    Breach { rule: "unknown_stream_type", detail }
}

fn check_order_in_stream(before: Option<&RecordedEvent>, event: &RecordedEvent, report: &mut AuditReport) {
    let version = before.map_or(Version(0), |before| before.version);
    if event.version != version.next() {
        let detail = format!("follows on version {version}: what is in between is missing");
        report.add_at(event, Breach { rule: "version_gap", detail });
    }
    let Some(before) = before else { return };
    if before.occurred_at > event.occurred_at {
        let detail = format!("happened at {}, after {}", event.occurred_at, before.occurred_at);
        report.add_at(event, Breach { rule: "occurred_at_backwards", detail });
    }
    if before.stream_type != event.stream_type {
        let detail = format!("its stream began as {}", before.stream_type);
        report.add_at(event, Breach { rule: "stream_type_changed", detail });
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde::{Deserialize, Serialize};
    use shared_kernel::{DomainEvent, EventType, Stamp, uuid_id};

    use super::*;

    uuid_id! {
        /// A letter.
        LetterId;
    }

    /// An aggregate whose state is a text.
    #[derive(Debug)]
    pub(crate) struct Letter;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub(crate) enum Written {
        #[serde(rename = "letter.written")]
        Written { text: String },
    }

    #[derive(Debug, PartialEq, thiserror::Error)]
    #[error("empty")]
    pub(crate) struct Empty;

    impl DomainEvent for Written {
        const TYPES: &'static [EventType] = &[EventType::new("letter.written")];

        fn event_type(&self) -> &'static str {
            "letter.written"
        }
    }

    impl Aggregate for Letter {
        const TYPE: &'static str = "letter";
        const STATE_SCHEMA: i16 = 1;
        type Id = LetterId;
        type State = String;
        type Command = String;
        type Event = Written;
        type Context = ();
        type Rejection = Empty;

        fn decide(_: Option<&String>, text: &String, (): &()) -> Result<Vec<Written>, Empty> {
            if text.is_empty() { Err(Empty) } else { Ok(vec![Written::Written { text: text.clone() }]) }
        }

        fn evolve(state: Option<String>, Written::Written { text }: &Written, _: &Stamp) -> Option<String> {
            Some(state.unwrap_or_default() + text)
        }

        fn check_step(
            _: Option<&String>,
            Written::Written { text }: &Written,
        ) -> Result<(), Box<dyn std::error::Error>> {
            if text.is_empty() { Err(Box::new(Empty)) } else { Ok(()) }
        }

        fn size_of(state: &String) -> usize {
            state.len()
        }
    }

    fn written(payload: &str) -> RecordedEvent {
        RecordedEvent {
            position: Position(1),
            stream_id: StreamId(uuid::Uuid::from_u128(1)),
            stream_type: codec::stream_type::<Letter>(),
            version: Version(1),
            event_type: "letter.written".into(),
            schema_version: 1,
            payload: payload.into(),
            metadata: "{}".into(),
            occurred_at: DateTime::UNIX_EPOCH,
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn audit_names_illegal_and_unreadable_steps() {
        let mut audit = FoldAudit::<Letter>::default();
        assert_eq!(audit.step(&written(r#"{"text":"a"}"#)), Ok(()));
        assert_eq!(audit.step(&written(r#"{"text":""}"#)).unwrap_err().rule, "illegal_step");
        assert_eq!(audit.step(&written("{}")).unwrap_err().rule, "unreadable_event");
        assert_eq!(audit.state.as_deref(), Some("a"));
        audit.next_stream();
        assert_eq!(audit.state, None);
    }
}
