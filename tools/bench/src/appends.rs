//! Writers that append without a pause, the same for every store that is measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use chrono::Utc;
use eventstore::{
    Append, CommandId, EventStore, Expected, Metadata, NewEvent, Outcome, StreamId, StreamType, Unit, Version,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::payload;

/// How many streams are written to, unless a bench says otherwise.
pub const STREAMS: u32 = 1_000;

/// A store to which events are appended.
pub trait Appender: Clone + Send + Sync + 'static {
    /// A stream, and what a writer knows of it: its version, or whatever the store wants to be told of it.
    type Stream: Send + 'static;

    /// Appends one event of about 300 bytes, if the stream is still as it is known; answers once it is committed.
    fn append(&self, stream: &mut Self::Stream) -> impl Future<Output = Result<()>> + Send;
}

/// Deals out the streams among writers: no two write to the same.
pub fn dealt<T>(writers: usize, streams: impl IntoIterator<Item = T>) -> Vec<Vec<T>> {
    let mut hands: Vec<Vec<T>> = (0..writers).map(|_| Vec::new()).collect();
    for (index, stream) in streams.into_iter().enumerate() {
        hands[index % writers].push(stream);
    }
    hands
}

/// Appends a second: each writer takes its streams in turn, and sends the next event when the last one is committed.
/// Called again, it goes on where it stopped.
///
/// # Errors
/// The store's: a writer is alone with its streams, so that nothing may be refused.
pub async fn appends_a_second<A: Appender>(store: &A, hands: &mut Vec<Vec<A::Stream>>, time: Duration) -> Result<f64> {
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for mut streams in std::mem::take(hands) {
        let store = store.clone();
        tasks.spawn(async move {
            let mut done = 0;
            while started.elapsed() < time && !streams.is_empty() {
                let next = done % streams.len();
                store.append(&mut streams[next]).await?;
                done += 1;
            }
            let next = done % streams.len().max(1);
            streams.rotate_left(next);
            anyhow::Ok((streams, done))
        });
    }
    let mut all = 0;
    while let Some(task) = tasks.join_next().await {
        let (streams, done) = task??;
        hands.push(streams);
        all += done;
    }
    #[expect(clippy::cast_precision_loss, reason = "a figure")]
    Ok(all as f64 / started.elapsed().as_secs_f64())
}

/// Docket's own log.
#[derive(Clone, Debug)]
pub struct Log {
    store: EventStore,
    commands: Arc<AtomicU64>,
}

/// A stream of the log, and the version that it is at.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Its id.
    pub id: Uuid,
    /// Its version.
    pub version: i64,
}

impl Log {
    /// Over a store that is open.
    #[must_use]
    pub fn new(store: EventStore) -> Self {
        Self { store, commands: Arc::default() }
    }
}

impl Known {
    /// A thousand streams that are not there yet.
    pub fn fresh() -> impl Iterator<Item = Self> {
        (0..STREAMS).map(|n| Self { id: Uuid::from_u128(n.into()), version: 0 })
    }
}

impl Appender for Log {
    type Stream = Known;

    async fn append(&self, stream: &mut Known) -> Result<()> {
        let command = Uuid::from_u128((1 << 96) + u128::from(self.commands.fetch_add(1, Ordering::Relaxed)));
        match self.store.append(unit(*stream, command)).await? {
            Outcome::Appended(_) => stream.version += 1,
            other @ Outcome::Replayed(_) => bail!("unexpected answer: {other:?}"),
        }
        Ok(())
    }
}

fn unit(stream: Known, command: Uuid) -> Unit {
    #[expect(clippy::disallowed_methods, reason = "a bench is an edge")]
    let event = NewEvent::new("ticket.public_reply_added", 1, payload(), Utc::now());
    let expected = Expected::Exact(Version(stream.version));
    let append = Append::new(StreamType::from_static("ticket"), StreamId(stream.id), expected, vec![event]);
    Unit::new(Metadata::new(CommandId(command))).append(append)
}

#[cfg(test)]
mod tests {
    use super::dealt;

    #[test]
    fn every_stream_has_one_writer() {
        assert_eq!(dealt(3, 0..7), [vec![0, 3, 6], vec![1, 4], vec![2, 5]]);
    }
}
