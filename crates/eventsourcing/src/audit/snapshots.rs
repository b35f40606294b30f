//! Snapshots against the fold of their streams. The program believes a snapshot, so one that was changed by hand would become
//! the record.

use std::collections::{BTreeSet, VecDeque};

use eventstore::{EventStore, RecordedEvent, SnapshotKey, StoreError, StreamId, StreamRange, Version};

use super::{AuditReport, Breach, Finding, StreamAudit};

/// How many keys are read at once. States are read one by one.
const PAGE: u16 = 1_000;

/// Goes along the snapshots beside the streams, both in the order of streams.
pub(super) struct Snapshots<'a> {
    store: &'a EventStore,
    ahead: VecDeque<SnapshotKey>,
    last: Option<SnapshotKey>,
    ended: bool,
    /// Those of the present stream that no event has been met for: version and schema.
    due: BTreeSet<(Version, i16)>,
    stream: Option<StreamId>,
}

impl<'a> Snapshots<'a> {
    pub(super) fn new(store: &'a EventStore) -> Self {
        Self { store, ahead: VecDeque::new(), last: None, ended: false, due: BTreeSet::new(), stream: None }
    }

    /// The events of that stream follow.
    pub(super) async fn next_stream(&mut self, stream: StreamId, report: &mut AuditReport) -> Result<(), StoreError> {
        self.leave_stream(report).await?;
        while let Some(key) = self.peek().await?.filter(|key| key.stream_id <= stream) {
            self.ahead.pop_front();
            if key.stream_id == stream {
                self.due.insert((key.version, key.schema_version));
            } else {
                self.check_event(key, report).await?;
            }
        }
        self.stream = Some(stream);
        Ok(())
    }

    /// Compares the snapshots at the event's version with what the audit has folded up to it.
    pub(super) async fn check(
        &mut self,
        event: &RecordedEvent,
        audit: &dyn StreamAudit,
        report: &mut AuditReport,
    ) -> Result<(), StoreError> {
        while let Some((version, schema_version)) = self.due.first().copied().filter(|due| due.0 <= event.version) {
            self.due.pop_first();
            if version < event.version {
                let stream_id = event.stream_id;
                self.check_event(SnapshotKey { stream_id, schema_version, version }, report).await?;
                continue;
            }
            if schema_version != audit.snapshot_schema() {
                continue;
            }
            let snapshot = self.store.snapshot(event.stream_id, schema_version, Some(version)).await?;
            // removed meanwhile, it is none
            let Some(snapshot) = snapshot.filter(|snapshot| snapshot.version == version) else { continue };
            if let Err(breach) = audit.check_snapshot(event, &snapshot.state) {
                report.add_at(event, breach);
            }
        }
        Ok(())
    }

    /// No stream follows.
    pub(super) async fn finish(&mut self, report: &mut AuditReport) -> Result<(), StoreError> {
        self.leave_stream(report).await?;
        while let Some(key) = self.peek().await? {
            self.ahead.pop_front();
            self.check_event(key, report).await?;
        }
        Ok(())
    }

    async fn leave_stream(&mut self, report: &mut AuditReport) -> Result<(), StoreError> {
        let Some(stream_id) = self.stream.take() else { return Ok(()) };
        for (version, schema_version) in std::mem::take(&mut self.due) {
            self.check_event(SnapshotKey { stream_id, schema_version, version }, report).await?;
        }
        Ok(())
    }

    /// A snapshot that no event was met for: the event may have been appended since the audit was there.
    async fn check_event(&self, key: SnapshotKey, report: &mut AuditReport) -> Result<(), StoreError> {
        let SnapshotKey { stream_id, version, .. } = key;
        let range = StreamRange { until_version: Some(version), ..StreamRange::after(Version(version.0 - 1)) };
        if self.store.read_stream(stream_id, range).await?.is_empty() {
            let breach = Breach { rule: "snapshot_differs", detail: "the log has no such event".to_owned() };
            report.add(Finding::of_stream(stream_id, Some(version), breach));
        }
        Ok(())
    }

    async fn peek(&mut self) -> Result<Option<SnapshotKey>, StoreError> {
        if self.ahead.is_empty() && !self.ended {
            self.ahead = self.store.snapshots_after(self.last, PAGE).await?.into();
            self.ended = self.ahead.len() < usize::from(PAGE);
            self.last = self.ahead.back().copied();
        }
        Ok(self.ahead.front().copied())
    }
}
