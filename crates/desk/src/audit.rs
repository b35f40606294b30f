//! Reads the whole log and holds it to the invariants: positions and versions without a gap, times
//! that don't run backwards, events that can be read, steps that the state machine allows.
//!
//! Two passes: one along the log, which keeps no more than a version for each ticket; one along each ticket,
//! which keeps no more than that ticket.

use shared_kernel::Aggregate;
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use eventstore::{Position, RecordedEvent, StreamId, Version};
use futures_util::{Stream, StreamExt};
use ticket_aggregate::{Ticket, TicketId, legal_step};

use crate::error::chain;
use crate::folded::{decode, stamp};
use crate::history::Entry;
use crate::{Desk, DeskError};

/// More findings than this are counted, not kept.
const KEPT: usize = 1_000;

/// Where the log breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Which rule; stable.
    pub rule: &'static str,
    /// Where in the log.
    pub position: Option<Position>,
    /// Which ticket.
    pub ticket: Option<TicketId>,
    /// Which of its events.
    pub version: Option<Version>,
    /// What is wrong.
    pub detail: String,
}

/// What an audit found.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct AuditReport {
    /// How many events were read.
    pub events: u64,
    /// How many tickets they belong to.
    pub tickets: u64,
    /// How many times a rule is broken.
    pub broken: u64,
    /// The first thousand of them.
    pub findings: Vec<Finding>,
}

impl AuditReport {
    fn add(&mut self, finding: Finding) {
        self.broken += 1;
        if self.findings.len() < KEPT {
            self.findings.push(finding);
        }
    }

    fn at(&mut self, rule: &'static str, event: &RecordedEvent, detail: String) {
        self.add(Finding {
            rule,
            position: Some(event.position),
            ticket: Some(TicketId(event.stream_id.0)),
            version: Some(event.version),
            detail,
        });
    }
}

impl Desk {
    /// Audits the log; `progress` hears how many event readings are done (each event is read twice).
    pub async fn verify(&self, mut progress: impl FnMut(u64)) -> Result<AuditReport, DeskError> {
        let mut report = AuditReport::default();
        along_the_log(self.store().read_log(Position(0)), &mut report, &mut progress).await?;
        along_the_tickets(self.store().read_streams(), &mut report, &mut progress).await?;
        self.what_points_into_the_log(&mut report).await?;
        Ok(report)
    }

    /// Receipts and aliases were written with events; if those are gone, somebody removed them.
    async fn what_points_into_the_log(&self, report: &mut AuditReport) -> Result<(), DeskError> {
        let missing = |rule, stream: StreamId, version, detail| Finding {
            rule,
            position: None,
            ticket: Some(TicketId(stream.0)),
            version,
            detail,
        };
        for (stream, version) in self.store().dangling_receipts().await? {
            let detail = "a receipt names an event that is not in the log".into();
            report.add(missing("receipt_without_event", stream, Some(version), detail));
        }
        for (scope, name, stream) in self.store().dangling_aliases().await? {
            let detail = format!("{scope} {name} names a ticket that is not in the log");
            report.add(missing("alias_without_ticket", stream, None, detail));
        }
        Ok(())
    }
}

async fn along_the_log(
    events: impl Stream<Item = Result<RecordedEvent, eventstore::StoreError>>,
    report: &mut AuditReport,
    progress: &mut impl FnMut(u64),
) -> Result<(), DeskError> {
    let mut events = std::pin::pin!(events);
    let mut last: Option<(Position, DateTime<Utc>)> = None;
    let mut streams: HashMap<StreamId, Version> = HashMap::new();
    while let Some(event) = events.next().await {
        let event = event?;
        let (before, time) = last.unwrap_or((Position(0), event.recorded_at));
        if event.position.0 != before.0 + 1 {
            let detail = format!("follows on position {before}: what is in between is missing");
            report.at("position_gap", &event, detail);
        }
        if event.recorded_at < time {
            report.at("recorded_at_backwards", &event, format!("recorded at {}, after {time}", event.recorded_at));
        }
        // versions rise along positions, or the two orders contradict each other
        let version = streams.entry(event.stream_id).or_default();
        if event.version <= *version {
            report.at("version_order", &event, format!("comes after version {version} in the log"));
        }
        *version = (*version).max(event.version);
        last = Some((event.position, event.recorded_at));
        report.events += 1;
        progress(report.events);
    }
    report.tickets = streams.len() as u64;
    Ok(())
}

async fn along_the_tickets(
    events: impl Stream<Item = Result<RecordedEvent, eventstore::StoreError>>,
    report: &mut AuditReport,
    progress: &mut impl FnMut(u64),
) -> Result<(), DeskError> {
    let mut events = std::pin::pin!(events);
    let mut before: Option<RecordedEvent> = None;
    let mut state: Option<Ticket> = None;
    let mut read = report.events;
    while let Some(event) = events.next().await {
        let event = event?;
        if before.as_ref().is_none_or(|b| b.stream_id != event.stream_id) {
            before = None;
            state = None;
        }
        step(&mut state, before.as_ref(), &event, report);
        before = Some(event);
        read += 1;
        progress(read);
    }
    Ok(())
}

fn step(state: &mut Option<Ticket>, before: Option<&RecordedEvent>, event: &RecordedEvent, report: &mut AuditReport) {
    let version = before.map_or(Version(0), |b| b.version);
    if event.version != version.next() {
        report.at("version_gap", event, format!("follows on version {version}: what is in between is missing"));
    }
    if let Some(before) = before.filter(|b| b.occurred_at > event.occurred_at) {
        let detail = format!("happened at {}, after {}", event.occurred_at, before.occurred_at);
        report.at("occurred_at_backwards", event, detail);
    }
    match decode(event) {
        Ok(read) => {
            if let Err(illegal) = legal_step(state.as_ref(), &read) {
                report.at("illegal_step", event, chain(&illegal));
            }
            *state = Ticket::evolve(state.take(), &read, &stamp(event.version, event.occurred_at));
            if let Err(DeskError::Corrupt { reason, .. }) = Entry::read(event) {
                report.at("unreadable_metadata", event, reason);
            }
        }
        Err(DeskError::Corrupt { reason, .. }) => report.at("unreadable_event", event, reason),
        Err(other) => report.at("unreadable_event", event, chain(&other)),
    }
}
