//! Aliases against the events of the streams that hold them, both ways.

use std::collections::BTreeSet;
use std::pin::pin;

use eventstore::{EventStore, RecordedEvent, StoreError, StreamId, StreamRange, StreamType, Version};
use futures_util::TryStreamExt;

use super::{AuditReport, Breach, Finding, StreamAudit};

/// So many streams are compared at once, or those with so many aliases.
const STREAMS: usize = 500;
const ALIASES: usize = 5_000;
/// So many streams that others append to meanwhile are looked at again at the end, each so often.
const MOVED: usize = 10_000;
const ATTEMPTS: usize = 5;

type Names = Vec<(String, String)>;

/// What a stream must hold once it has so many events.
struct Expected {
    stream: StreamId,
    stream_type: StreamType,
    version: Version,
    aliases: Names,
}

/// Collects what streams must hold, and compares it with what they do hold.
pub(super) struct Aliases<'a> {
    store: &'a EventStore,
    batch: Vec<Expected>,
    names: usize,
    /// Streams that have more events by now than were folded.
    moved: Vec<(StreamId, StreamType)>,
}

impl<'a> Aliases<'a> {
    pub(super) fn new(store: &'a EventStore) -> Self {
        Self { store, batch: Vec::new(), names: 0, moved: Vec::new() }
    }

    /// A stream has been folded up to its last event.
    pub(super) async fn expect(
        &mut self,
        last: &RecordedEvent,
        audit: Option<&dyn StreamAudit>,
        report: &mut AuditReport,
    ) -> Result<(), StoreError> {
        let Some(aliases) = audit.and_then(StreamAudit::aliases) else { return Ok(()) };
        self.names += aliases.len();
        let RecordedEvent { stream_id: stream, stream_type, version, .. } = *last;
        self.batch.push(Expected { stream, stream_type, version, aliases });
        if self.batch.len() >= STREAMS || self.names >= ALIASES {
            self.compare(report).await?;
        }
        Ok(())
    }

    /// No stream follows. Those that have moved are folded again.
    pub(super) async fn finish(
        &mut self,
        audits: &mut [Box<dyn StreamAudit>],
        report: &mut AuditReport,
    ) -> Result<(), StoreError> {
        self.compare(report).await?;
        for _ in 0..ATTEMPTS {
            for (stream, stream_type) in std::mem::take(&mut self.moved) {
                let Some(audit) = audits.iter_mut().find(|audit| audit.stream_type() == stream_type) else { continue };
                let last = fold_again(self.store, stream, &mut **audit).await?;
                if let Some(last) = last {
                    self.expect(&last, Some(&**audit), report).await?;
                }
            }
            self.compare(report).await?;
        }
        Ok(())
    }

    async fn compare(&mut self, report: &mut AuditReport) -> Result<(), StoreError> {
        self.names = 0;
        let mut batch = std::mem::take(&mut self.batch);
        batch.sort_unstable_by_key(|expected| expected.stream);
        let streams: Vec<_> = batch.iter().map(|expected| expected.stream).collect();
        for (expected, held) in batch.iter().zip(self.store.held_aliases(&streams).await?) {
            if held.version == expected.version {
                self.compare_stream(expected, &held.aliases, report).await?;
            } else if self.moved.len() < MOVED {
                self.moved.push((expected.stream, expected.stream_type));
            }
        }
        Ok(())
    }

    async fn compare_stream(
        &self,
        expected: &Expected,
        held: &Names,
        report: &mut AuditReport,
    ) -> Result<(), StoreError> {
        let (due, held): (BTreeSet<_>, BTreeSet<_>) = (expected.aliases.iter().collect(), held.iter().collect());
        for (scope, name) in due.difference(&held) {
            let breach = match self.store.resolve(scope, name).await? {
                None => Breach { rule: "alias_missing", detail: format!("{scope} {name} leads nowhere") },
                Some(other) => Breach { rule: "alias_repointed", detail: format!("{scope} {name} leads to {other}") },
            };
            report.add(expected.finding(breach));
        }
        for (scope, name) in held.difference(&due) {
            let detail = format!("{scope} {name} leads here, and no event says so");
            report.add(expected.finding(Breach { rule: "alias_unexpected", detail }));
        }
        Ok(())
    }
}

impl Expected {
    fn finding(&self, breach: Breach) -> Finding {
        let version = Some(self.version);
        Finding { stream_type: Some(self.stream_type), ..Finding::of_stream(self.stream, version, breach) }
    }
}

/// Folds a stream that has been checked before.
async fn fold_again(
    store: &EventStore,
    stream: StreamId,
    audit: &mut dyn StreamAudit,
) -> Result<Option<RecordedEvent>, StoreError> {
    audit.next_stream();
    let mut last = None;
    let mut pages = pin!(store.stream_pages(stream, StreamRange::default()));
    while let Some(page) = pages.try_next().await? {
        for event in page {
            // what breaks a rule was reported when it was met first
            audit.step(&event).ok();
            last = Some(event);
        }
    }
    Ok(last)
}
