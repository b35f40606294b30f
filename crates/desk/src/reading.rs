//! Queries: always from the ticket's own stream, so that a read is never older than what was
//! acknowledged before it began (docs/adr/0009).

use std::pin::pin;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use eventstore::{Snapshot, StreamRange, Version};
use futures_util::TryStreamExt;
use ticket_aggregate::TicketId;

use crate::folded::{SNAPSHOT_SCHEMA, fold, fold_pages, stream_of};
use crate::history::{Entry, History};
use crate::{Caller, Desk, DeskError, VersionedTicket};

/// A page of a ticket's events ends with the one that brings it to so many bytes: they may be large, and clients slow.
pub const PAGE_BYTES: usize = 1024 * 1024;

/// Which state of a ticket is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// The newest.
    Now,
    /// After that many events.
    Version(Version),
    /// After what had happened by then.
    Time(DateTime<Utc>),
}

impl Desk {
    /// A ticket that the caller may see (as it is now), at a moment.
    pub async fn ticket(&self, id: TicketId, at: AsOf, caller: &Caller) -> Result<Arc<VersionedTicket>, DeskError> {
        let current = self.current(id).await?.filter(|f| caller.may_see(&f.ticket)).ok_or(DeskError::NotFound)?;
        let range = match at {
            AsOf::Now => return Ok(current),
            AsOf::Version(version) if version == current.version => return Ok(current),
            AsOf::Version(version) if version > current.version || version.0 < 1 => {
                return Err(DeskError::NoSuchVersion);
            }
            AsOf::Version(version) => StreamRange { until_version: Some(version), ..StreamRange::default() },
            AsOf::Time(time) => StreamRange { until_time: Some(time), ..StreamRange::default() },
        };
        self.folded_to(id, range).await?.map(Arc::new).ok_or(DeskError::NoSuchVersion)
    }

    /// All of a ticket up to a moment, for operators. Events behind it may be such that nobody can read them.
    pub async fn history(&self, id: TicketId, until: AsOf) -> Result<History, DeskError> {
        let events = self.store.read_stream(stream_of(id), StreamRange::default()).await?;
        let count = match until {
            AsOf::Now => events.len(),
            AsOf::Version(version) => events.iter().position(|e| e.version == version).map_or(0, |index| index + 1),
            AsOf::Time(time) => events.iter().take_while(|e| e.occurred_at <= time).count(),
        };
        if count == 0 && !events.is_empty() {
            return Err(DeskError::NoSuchVersion);
        }
        let folded = fold(None, &events[..count])?.ok_or(DeskError::NotFound)?;
        let entries = events[..count].iter().map(Entry::read).collect::<Result<_, _>>()?;
        Ok(History { entries, folded: Arc::new(folded), of: events.len() })
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
    ) -> Result<(Arc<VersionedTicket>, Vec<Entry>, Option<Version>), DeskError> {
        let folded = self.current(id).await?.filter(|f| caller.may_see(&f.ticket)).ok_or(DeskError::NotFound)?;
        let range = StreamRange { after, until_version: Some(folded.version), ..StreamRange::default() };
        let mut pages = pin!(self.store.stream_pages(stream_of(id), range));
        let (mut found, mut bytes): (Vec<Entry>, _) = (Vec::new(), 0);
        while let Some(page) = pages.try_next().await? {
            for recorded in &page {
                let Some(entry) = Entry::read(recorded)?.seen_by(caller).filter(&wanted) else { continue };
                if found.len() == limit || bytes >= PAGE_BYTES {
                    let last = found.last().map(|entry| entry.version);
                    return Ok((folded, found, last));
                }
                bytes += recorded.bytes();
                found.push(entry);
            }
        }
        Ok((folded, found, None))
    }

    /// The newest state: what is kept in memory, and what came after it.
    pub(crate) async fn current(&self, id: TicketId) -> Result<Option<Arc<VersionedTicket>>, DeskError> {
        let slot = self.cache.slot(id);
        let known = slot.get();
        let folded = self.refreshed(id, known).await?;
        if let Some(folded) = &folded {
            self.cache.keep(&slot, folded);
        }
        Ok(folded)
    }

    pub(crate) async fn refreshed(
        &self,
        id: TicketId,
        known: Option<Arc<VersionedTicket>>,
    ) -> Result<Option<Arc<VersionedTicket>>, DeskError> {
        let Some(known) = known else {
            return Ok(self.folded_to(id, StreamRange::default()).await?.map(Arc::new));
        };
        // the last known event is read again: if it is not where it was, the log is another one (restored, or
        // failed over to a standby that lacked its end), and what is known of it is worth nothing
        let from = StreamRange::after(Version(known.version.0 - 1));
        let mut pages = pin!(self.store.stream_pages(stream_of(id), from));
        let first = pages.try_next().await?.unwrap_or_default();
        match first.split_first() {
            Some((last, news)) if last.position == known.position && last.version == known.version => {
                if news.is_empty() {
                    return Ok(Some(known));
                }
                let folded = fold(Some(VersionedTicket::clone(&known)), news)?;
                Ok(fold_pages(folded, pages).await?.map(Arc::new))
            }
            _ => {
                self.cache.forget(id);
                Ok(self.folded_to(id, StreamRange::default()).await?.map(Arc::new))
            }
        }
    }

    /// Folds a part of a stream from its beginning, or from a snapshot within the part.
    pub(crate) async fn folded_to(
        &self,
        id: TicketId,
        range: StreamRange,
    ) -> Result<Option<VersionedTicket>, DeskError> {
        let stream = stream_of(id);
        if range.until_time.is_some() {
            return fold_pages(None, self.store.stream_pages(stream, range)).await;
        }
        let known = match self.store.snapshot(stream, SNAPSHOT_SCHEMA, range.until_version).await? {
            Some(snapshot) => Self::read_snapshot(id, &snapshot),
            None => None,
        };
        let after = known.as_ref().map_or(Version(0), |k| k.version);
        fold_pages(known, self.store.stream_pages(stream, StreamRange { after, ..range })).await
    }

    /// A snapshot that can't be read is passed over: it is a shortcut, not the truth.
    fn read_snapshot(id: TicketId, snapshot: &Snapshot) -> Option<VersionedTicket> {
        serde_json::from_str(&snapshot.state)
            .inspect_err(|error| tracing::warn!(ticket = %id, %error, "a snapshot can't be read"))
            .ok()
            .filter(|folded: &VersionedTicket| folded.id == id && folded.version == snapshot.version)
    }
}
