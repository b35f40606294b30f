//! Queries: always from the ticket's own stream, so that a read is never older than what was
//! acknowledged before it began (docs/adr/0009).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use eventstore::{Snapshot, StreamRange, Version};
use ticket_aggregate::TicketId;

use crate::folded::{SNAPSHOT_SCHEMA, fold, stream_of};
use crate::history::{self, Entry};
use crate::{Caller, Desk, DeskError, Folded};

/// How many events are read at once for a page of them: versions have no gaps.
const READ_AT_ONCE: i64 = 200;

/// Which state of a ticket is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The newest.
    Now,
    /// After that many events.
    Version(Version),
    /// After what had happened by then.
    Time(DateTime<Utc>),
}

impl Desk {
    /// A ticket that the caller may see (as it is now), at a moment.
    pub async fn ticket(&self, id: TicketId, at: Moment, caller: &Caller) -> Result<Arc<Folded>, DeskError> {
        let current = self.current(id).await?.filter(|f| caller.may_see(&f.ticket)).ok_or(DeskError::NotFound)?;
        let range = match at {
            Moment::Now => return Ok(current),
            Moment::Version(version) if version == current.version => return Ok(current),
            Moment::Version(version) if version > current.version || version.0 < 1 => {
                return Err(DeskError::NoSuchVersion);
            }
            Moment::Version(version) => StreamRange { until_version: Some(version), ..StreamRange::default() },
            Moment::Time(time) => StreamRange { until_time: Some(time), ..StreamRange::default() },
        };
        self.folded_to(id, range).await?.map(Arc::new).ok_or(DeskError::NoSuchVersion)
    }

    /// A ticket's events in order, as the caller may see them.
    pub async fn history(&self, id: TicketId, caller: &Caller) -> Result<(Arc<Folded>, Vec<Entry>), DeskError> {
        let events = self.store.read_stream(stream_of(id), StreamRange::default()).await?;
        let folded = fold(None, &events)?.filter(|f| caller.may_see(&f.ticket)).ok_or(DeskError::NotFound)?;
        Ok((Arc::new(folded), history::entries(&events, caller)?))
    }

    /// A page of a ticket's events in order, as far as the caller may see them and wants them: those after a version, and
    /// the version to go on after where there are more.
    pub async fn history_page(
        &self,
        id: TicketId,
        caller: &Caller,
        after: Version,
        limit: usize,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Result<(Arc<Folded>, Vec<Entry>, Option<Version>), DeskError> {
        let folded = self.current(id).await?.filter(|f| caller.may_see(&f.ticket)).ok_or(DeskError::NotFound)?;
        let mut found: Vec<Entry> = Vec::new();
        let mut after = after;
        while after < folded.version {
            let until = Version(after.0.saturating_add(READ_AT_ONCE).min(folded.version.0));
            let range = StreamRange { after, until_version: Some(until), until_time: None };
            let events = self.store.read_stream(stream_of(id), range).await?;
            for entry in history::entries(&events, caller)?.into_iter().filter(&wanted) {
                if found.len() == limit {
                    let last = found.last().map(|entry| entry.version);
                    return Ok((folded, found, last));
                }
                found.push(entry);
            }
            after = until;
        }
        Ok((folded, found, None))
    }

    /// What has happened to a ticket since a version, as the caller may see it.
    pub(crate) async fn since(&self, id: TicketId, version: Version, caller: &Caller) -> Result<Vec<Entry>, DeskError> {
        history::entries(&self.store.read_stream(stream_of(id), StreamRange::after(version)).await?, caller)
    }

    /// The newest state: what is kept in memory, and what came after it.
    pub(crate) async fn current(&self, id: TicketId) -> Result<Option<Arc<Folded>>, DeskError> {
        let slot = self.cache.slot(id);
        let known = slot.get();
        let folded = self.refreshed(id, known).await?;
        if let Some(folded) = &folded {
            slot.put(folded);
        }
        Ok(folded)
    }

    pub(crate) async fn refreshed(
        &self,
        id: TicketId,
        known: Option<Arc<Folded>>,
    ) -> Result<Option<Arc<Folded>>, DeskError> {
        let Some(known) = known else {
            return Ok(self.folded_to(id, StreamRange::default()).await?.map(Arc::new));
        };
        // the last known event is read again: if it is not where it was, the log is another one (restored, or
        // failed over to a standby that lacked its end), and what is known of it is worth nothing
        let from = StreamRange::after(Version(known.version.0 - 1));
        let events = self.store.read_stream(stream_of(id), from).await?;
        match events.split_first() {
            Some((last, news)) if last.position == known.position && last.version == known.version => {
                if news.is_empty() {
                    return Ok(Some(known));
                }
                Ok(fold(Some(Folded::clone(&known)), news)?.map(Arc::new))
            }
            _ => {
                self.cache.forget(id);
                Ok(self.folded_to(id, StreamRange::default()).await?.map(Arc::new))
            }
        }
    }

    /// Folds a part of a stream from its beginning, or from a snapshot within the part.
    pub(crate) async fn folded_to(&self, id: TicketId, range: StreamRange) -> Result<Option<Folded>, DeskError> {
        let stream = stream_of(id);
        if range.until_time.is_some() {
            return fold(None, &self.store.read_stream(stream, range).await?);
        }
        let known = match self.store.snapshot(stream, SNAPSHOT_SCHEMA, range.until_version).await? {
            Some(snapshot) => Self::read_snapshot(id, &snapshot),
            None => None,
        };
        let after = known.as_ref().map_or(Version(0), |k| k.version);
        fold(known, &self.store.read_stream(stream, StreamRange { after, ..range }).await?)
    }

    /// A snapshot that can't be read is passed over: it is a shortcut, not the truth.
    fn read_snapshot(id: TicketId, snapshot: &Snapshot) -> Option<Folded> {
        serde_json::from_str(&snapshot.state)
            .inspect_err(|error| tracing::warn!(ticket = %id, %error, "a snapshot can't be read"))
            .ok()
            .filter(|folded: &Folded| folded.id == id && folded.version == snapshot.version)
    }
}
