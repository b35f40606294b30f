//! The order along the log.

use std::collections::HashMap;
use std::pin::pin;

use chrono::{DateTime, Utc};
use eventstore::{EventStore, Position, StoreError, StreamId, Version};
use futures_util::TryStreamExt;

use super::{AuditReport, Breach};

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
