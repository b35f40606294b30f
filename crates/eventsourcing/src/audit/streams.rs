//! The order within each stream, its steps, and what is derived from it.

use std::pin::pin;

use eventstore::{EventStore, RecordedEvent, StoreError, Version};
use futures_util::TryStreamExt;

use super::aliases::Aliases;
use super::snapshots::Snapshots;
use super::{AuditReport, Breach, StreamAudit};

/// Checks each stream from its beginning, by the audit of its type, and its snapshots and aliases with it. `progress` goes on
/// from the events already read.
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
    let (mut snapshots, mut aliases) = (Snapshots::new(store), Aliases::new(store));
    let mut before: Option<RecordedEvent> = None;
    let mut read = report.events;
    while let Some(event) = events.try_next().await? {
        let previous = before.take_if(|before| before.stream_id == event.stream_id);
        if previous.is_none() {
            if let Some(last) = before.take() {
                aliases.expect(&last, find(audits, &last), report).await?;
            }
            for audit in audits.iter_mut() {
                audit.next_stream();
            }
            snapshots.next_stream(event.stream_id, report).await?;
        }
        check_order(previous.as_ref(), &event, report);
        match audits.iter_mut().find(|audit| audit.stream_type() == event.stream_type) {
            Some(audit) => {
                if let Err(breach) = audit.step(&event) {
                    report.add_at(&event, breach);
                }
                snapshots.check(&event, &**audit, report).await?;
            }
            None => report.add_at(&event, unknown_type(&event)),
        }
        before = Some(event);
        read += 1;
        progress(read);
    }
    if let Some(last) = before {
        aliases.expect(&last, find(audits, &last), report).await?;
    }
    snapshots.finish(report).await?;
    aliases.finish(audits, report).await
}

/// The audit of an event's stream.
fn find<'a>(audits: &'a [Box<dyn StreamAudit>], event: &RecordedEvent) -> Option<&'a dyn StreamAudit> {
    audits.iter().find(|audit| audit.stream_type() == event.stream_type).map(|audit| &**audit)
}

fn unknown_type(event: &RecordedEvent) -> Breach {
    let detail = format!("this program knows no streams of the type {}", event.stream_type);
    Breach { rule: "unknown_stream_type", detail }
}

fn check_order(before: Option<&RecordedEvent>, event: &RecordedEvent, report: &mut AuditReport) {
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
