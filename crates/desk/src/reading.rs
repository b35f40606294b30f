//! Queries: always from the ticket's own stream, so that a read is never older than what was
//! acknowledged before it began (docs/adr/0009).

use std::pin::pin;
use std::sync::Arc;

use eventsourcing::{AsOf, Records, Versioned, codec};
use eventstore::{StreamId, StreamRange, Version};
use futures_util::TryStreamExt;
use ticket_aggregate::{Ticket, TicketId};

use crate::execute::record::Record;
use crate::history::{Entry, History, HistoryPage};
use crate::{Desk, DeskError, VersionedTicket};
use shared_kernel::{Aggregate, Principal};

/// A page of a ticket's events ends with the one that brings it to so many bytes: they may be large, and clients slow.
pub const PAGE_BYTES: usize = 1024 * 1024;

impl Desk {
    /// A ticket that the caller may see (as it is now), at a moment.
    pub async fn ticket(&self, id: TicketId, at: AsOf, caller: &Principal) -> Result<Arc<VersionedTicket>, DeskError> {
        let current = self.visible(id, caller).await?;
        match at {
            AsOf::Now => Ok(current),
            AsOf::Version(version) if version == current.version => Ok(current),
            AsOf::Version(version) if version > current.version || version.0 < 1 => Err(DeskError::NoSuchVersion),
            past => self.tickets.as_of(id, past).await?.ok_or(DeskError::NoSuchVersion),
        }
    }

    /// All of a record up to a moment, for operators. Events behind it may be such that nobody can read them.
    pub async fn history<A: Aggregate>(&self, id: A::Id, until: AsOf) -> Result<History<A>, DeskError> {
        let range = StreamRange::default().of_type(codec::stream_type::<A>());
        let events = self.store.read_stream(Records::<A>::stream(id), range).await?;
        let count = match until {
            AsOf::Now => events.len(),
            AsOf::Version(version) => events.iter().position(|e| e.version == version).map_or(0, |index| index + 1),
            AsOf::Time(time) => events.iter().take_while(|e| e.occurred_at <= time).count(),
        };
        if count == 0 && !events.is_empty() {
            return Err(DeskError::NoSuchVersion);
        }
        let record = Versioned::<A>::fold(&events[..count])?.ok_or(DeskError::NotFound)?;
        let entries = events[..count].iter().map(Entry::read).collect::<Result<_, _>>()?;
        Ok(History { entries, record: Arc::new(record), of: events.len() })
    }

    /// A page of the events of a record other than a ticket, in order: those after a version, and the version to go on after
    /// where there are more.
    ///
    /// # Errors
    /// If there is no such record, or the database fails.
    pub async fn record_history<A: Record>(
        &self,
        id: A::Id,
        after: Version,
        limit: usize,
    ) -> Result<HistoryPage<A>, DeskError> {
        let record = self.record::<A>(id, AsOf::Now).await?;
        let range = StreamRange { after, until_version: Some(record.version), ..StreamRange::default() };
        let range = range.of_type(codec::stream_type::<A>());
        let mut pages = pin!(self.store.stream_pages(Records::<A>::stream(id), range));
        let (mut found, mut bytes): (Vec<Entry<A::Event>>, _) = (Vec::new(), 0);
        while let Some(page) = pages.try_next().await? {
            for recorded in &page {
                if found.len() == limit || bytes >= PAGE_BYTES {
                    let last = found.last().map(|entry| entry.version);
                    return Ok((record, found, last));
                }
                bytes += recorded.bytes();
                found.push(Entry::read(recorded)?);
            }
        }
        Ok((record, found, None))
    }

    /// A page of a ticket's events in order, as far as the caller may see them and wants them: those after a version, and
    /// the version to go on after where there are more.
    pub async fn history_page(
        &self,
        id: TicketId,
        caller: &Principal,
        after: Version,
        limit: usize,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Result<(Arc<VersionedTicket>, Vec<Entry>, Option<Version>), DeskError> {
        let ticket = self.visible(id, caller).await?;
        let range = StreamRange { after, until_version: Some(ticket.version), ..StreamRange::default() };
        let mut pages = pin!(self.store.stream_pages(StreamId(id.0), ticket_events(range)));
        let (mut found, mut bytes): (Vec<Entry>, _) = (Vec::new(), 0);
        while let Some(page) = pages.try_next().await? {
            for recorded in &page {
                let Some(entry) = Entry::read(recorded)?.seen_by(caller).filter(&wanted) else { continue };
                if found.len() == limit || bytes >= PAGE_BYTES {
                    let last = found.last().map(|entry| entry.version);
                    return Ok((ticket, found, last));
                }
                bytes += recorded.bytes();
                found.push(entry);
            }
        }
        Ok((ticket, found, None))
    }

    /// A ticket as it is now, if it is there for the caller.
    async fn visible(&self, id: TicketId, caller: &Principal) -> Result<Arc<VersionedTicket>, DeskError> {
        let current = self.tickets.current(id).await?;
        current.filter(|ticket| ticket.state.is_visible_to(caller)).ok_or(DeskError::NotFound)
    }
}

/// A stream of another type reads as one that is not there.
fn ticket_events(range: StreamRange) -> StreamRange {
    range.of_type(codec::stream_type::<Ticket>())
}
