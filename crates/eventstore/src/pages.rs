//! Reading page by page, so that memory is bounded by bytes, whatever the size of the events.

use futures_util::{Stream, TryStreamExt, stream};

use crate::{RecordedEvent, StoreError};

/// The number of events of the next page. It follows from the size of the last page's events and at most doubles, so that
/// large events after small ones don't arrive by the thousand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageSize {
    events: usize,
    most: usize,
    bytes: usize,
}

impl PageSize {
    /// `first` events in the first page, at most `most` in later ones, and about `bytes` in each.
    pub(crate) fn new(first: u16, most: u16, bytes: usize) -> Self {
        let most = usize::from(most.max(1));
        Self { events: usize::from(first).clamp(1, most), most, bytes }
    }

    pub(crate) fn events(self) -> u16 {
        u16::try_from(self.events).unwrap_or(u16::MAX)
    }

    pub(crate) fn bytes(self) -> usize {
        self.bytes
    }

    pub(crate) fn after(self, page: &[RecordedEvent]) -> Self {
        let bytes: usize = page.iter().map(RecordedEvent::bytes).sum();
        let fit = self.bytes / bytes.div_ceil(page.len().max(1)).max(1);
        Self { events: fit.min(self.events * 2).clamp(1, self.most), ..self }
    }
}

/// Pages one after the other, none empty. `read` returns the events after a key; `key` gives an event's key.
pub(crate) fn pages<P, F, E>(
    after: P,
    size: PageSize,
    key: fn(&RecordedEvent) -> P,
    read: impl Fn(P, u16) -> F + Send,
) -> impl Stream<Item = Result<Vec<RecordedEvent>, StoreError>> + Send
where
    P: Send,
    F: Future<Output = Result<Vec<RecordedEvent>, E>> + Send,
    StoreError: From<E>,
{
    stream::try_unfold(Some((after, size)), move |from| {
        let reading = from.map(|(after, size)| (read(after, size.events()), size));
        async move {
            let Some((reading, size)) = reading else { return Ok(None) };
            let page = reading.await?;
            let Some(last) = page.last() else { return Ok(None) };
            let next = (page.len() == size.events).then(|| (key(last), size.after(&page)));
            Ok(Some((page, next)))
        }
    })
}

/// The same, event by event.
pub(crate) fn flat(
    pages: impl Stream<Item = Result<Vec<RecordedEvent>, StoreError>> + Send,
) -> impl Stream<Item = Result<RecordedEvent, StoreError>> + Send {
    pages.map_ok(|page| stream::iter(page.into_iter().map(Ok))).try_flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(events: usize, bytes: usize) -> Vec<RecordedEvent> {
        let event = RecordedEvent {
            position: crate::Position(1),
            stream_id: crate::StreamId(uuid::Uuid::nil()),
            stream_type: crate::StreamType::from_static("thing"),
            version: crate::Version(1),
            event_type: String::new(),
            schema_version: 1,
            payload: "x".repeat(bytes),
            metadata: String::new(),
            occurred_at: chrono::DateTime::UNIX_EPOCH,
            recorded_at: chrono::DateTime::UNIX_EPOCH,
        };
        vec![event; events]
    }

    #[test]
    fn page_at_most_doubles_and_shrinks_at_once() {
        let size = PageSize::new(32, 100, 10_000);
        assert_eq!(size.events(), 32);
        let size = size.after(&page(32, 1));
        assert_eq!(size.events(), 64);
        assert_eq!(size.after(&page(64, 1)).events(), 100, "as many as are asked for");
        let size = size.after(&page(64, 1_000));
        assert_eq!(size.events(), 10);
        let size = size.after(&page(10, 20_000));
        assert_eq!(size.events(), 1, "one there always is");
        assert_eq!(size.after(&page(1, 1)).events(), 2);
        assert_eq!(PageSize::new(32, 0, 1).after(&[]).events(), 1);
    }
}
