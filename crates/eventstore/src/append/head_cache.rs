//! The heads of the streams that this appender has written to: the database need not look for what the cache knows.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{Answer, Job, Outcome};
use crate::{Append, Expected, Position, StreamId, StreamType, Version};

/// The cache holds between one and two times so many streams, those that were written to last.
const STREAMS: usize = 4_096;

/// Where the log ended when the cache was right. It is right as long as the log ends there: positions have no gaps, so nobody has
/// appended since. The time tells the same position of a restored log apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) position: Position,
    pub(super) recorded_at: DateTime<Utc>,
}

/// What is known of a stream's last event.
#[derive(Clone, Copy, Debug)]
struct Last {
    version: Version,
    occurred_at: DateTime<Utc>,
    stream_type: StreamType,
}

/// The heads that were written over one connection; a new connection begins with an empty cache.
#[derive(Debug, Default)]
pub(crate) struct HeadCache {
    log: Option<Head>,
    recent: HashMap<StreamId, Last>,
    /// The generation before; dropped when `recent` is full.
    older: HashMap<StreamId, Last>,
}

impl HeadCache {
    pub(super) fn log(&self) -> Option<Head> {
        self.log
    }

    /// The version of a stream, if the append expects it, names the same type, and does not lie before the last event in time.
    /// `None`: the database has to look.
    pub(super) fn lookup(&self, append: &Append) -> Option<Version> {
        let last = self.recent.get(&append.stream_id).or_else(|| self.older.get(&append.stream_id))?;
        let expected = append.expected == Expected::Any || append.expected == Expected::Exact(last.version);
        let in_time = append.events.first().is_none_or(|event| event.occurred_at >= last.occurred_at);
        (expected && in_time && append.stream_type == last.stream_type).then_some(last.version)
    }

    /// Takes over the answer to a batch: whether the log still ended where the cache said, where it ends now (`None`: nothing
    /// was appended), and the result of each job.
    pub(super) fn update(&mut self, known: bool, head: Option<Head>, batch: &[Job], answers: &[Answer]) {
        if !known {
            *self = Self::default();
        }
        let Some(head) = head else { return };
        self.log = Some(head);
        for (job, answer) in batch.iter().zip(answers) {
            let Ok(Outcome::Appended(appended)) = answer else { continue };
            for (append, (stream, version)) in job.unit.appends.iter().zip(&appended.versions) {
                if let Some(event) = append.events.last() {
                    self.remember(
                        *stream,
                        Last { version: *version, occurred_at: event.occurred_at, stream_type: append.stream_type },
                    );
                }
            }
        }
    }

    fn remember(&mut self, stream: StreamId, last: Last) {
        if self.recent.len() >= STREAMS && !self.recent.contains_key(&stream) {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(stream, last);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;
    use uuid::Uuid;

    use super::*;
    use crate::append::Appended;
    use crate::{CommandId, Metadata, NewEvent, Unit};

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap_or_default()
    }

    fn append(stream: u128, expected: Expected, second: i64) -> Append {
        let events = vec![NewEvent::new("thing.happened", 1, "{}", at(second))];
        Append::new(StreamType::from_static("thing"), StreamId(Uuid::from_u128(stream)), expected, events)
    }

    /// A batch of one unit after which the stream is at this version, and the log ends at `position`.
    fn appended(heads: &mut HeadCache, known: bool, position: i64, stream: u128, version: i64) {
        let head = Head { position: Position(position), recorded_at: at(position) };
        let append = append(stream, Expected::Any, 10);
        let answer = Ok(Outcome::Appended(Appended {
            first: Some(head.position),
            last: Some(head.position),
            versions: vec![(append.stream_id, Version(version))],
            recorded_at: head.recorded_at,
        }));
        let unit = Unit::new(Metadata::new(CommandId(Uuid::nil()))).append(append);
        let job = Job { unit, metadata: "{}".into(), answer: oneshot::channel().0 };
        heads.update(known, Some(head), &[job], &[answer]);
    }

    #[test]
    fn lookup_returns_only_what_fits() {
        let mut heads = HeadCache::default();
        appended(&mut heads, false, 1, 1, 7);
        let lookup = |expected, second| heads.lookup(&append(1, expected, second));
        assert_eq!(lookup(Expected::Exact(Version(7)), 10), Some(Version(7)));
        assert_eq!(lookup(Expected::Any, 11), Some(Version(7)));
        assert_eq!(lookup(Expected::Exact(Version(6)), 10), None, "another version");
        assert_eq!(lookup(Expected::Any, 9), None, "an earlier time");
        assert_eq!(heads.lookup(&append(2, Expected::Any, 10)), None, "another stream");
        let other_type = Append { stream_type: StreamType::from_static("other"), ..append(1, Expected::Any, 10) };
        assert_eq!(heads.lookup(&other_type), None, "another type");
    }

    #[test]
    fn foreign_append_empties_the_cache() {
        let mut heads = HeadCache::default();
        appended(&mut heads, false, 1, 1, 1);
        appended(&mut heads, true, 2, 2, 1);
        assert!(heads.lookup(&append(1, Expected::Any, 10)).is_some());
        appended(&mut heads, false, 9, 3, 1);
        assert!(heads.lookup(&append(1, Expected::Any, 10)).is_none());
        assert!(heads.lookup(&append(3, Expected::Any, 10)).is_some());
        heads.update(false, None, &[], &[]);
        assert_eq!(heads.log(), None, "somebody else appended, and this batch did not");
    }

    #[test]
    fn cache_keeps_the_latest_streams() {
        let mut heads = HeadCache::default();
        let streams = u128::try_from(STREAMS).unwrap_or_default();
        for (stream, position) in (1..=5 * streams).zip(1..) {
            appended(&mut heads, true, position, stream, 1);
        }
        let known = |stream| heads.lookup(&append(stream, Expected::Any, 10)).is_some();
        assert!((4 * streams + 1..=5 * streams).all(known));
        assert!(!(1..=3 * streams).any(known));
        assert!(heads.recent.len() + heads.older.len() <= 2 * STREAMS);
    }
}
