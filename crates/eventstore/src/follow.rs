//! Following the log: from any position to its end, and then live.
//!
//! One tailer for each process reads new events and keeps the latest in a window in memory, from which all followers of the
//! process take them. Positions have no gaps, so that a follower's index in the window is arithmetic. A follower that is behind
//! the window reads pages of its own until it has caught up. Nobody waits for a slow follower: it falls behind the window,
//! which bounds the memory.
//!
//! Notifications only save time: the tailer also looks by itself every [`POLL`].

use std::collections::VecDeque;
use std::future::ready;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::{OnceCell, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::append::Appender;
use crate::metrics::METRICS;
use crate::notify::{self, MIN_POLL_INTERVAL};
use crate::pages::{PageSize, flat, pages};
use crate::{EventStore, LogRange, Position, RecordedEvent, StoreError, StreamId, StreamRange, Version, read};

/// How long a lost notification can delay an event.
const POLL: Duration = Duration::from_millis(500);
/// The most events of the window, and the most bytes.
const WINDOW_EVENTS: usize = 16_384;
const WINDOW_BYTES: usize = 16 * 1024 * 1024;
/// The most events of a chunk.
const CHUNK: u16 = 1_000;
/// The size of a chunk, about.
const CHUNK_BYTES: usize = 1024 * 1024;
/// The same for a live client: there may be a thousand of them, and each may be slow and keep its chunk.
const LIVE_CHUNK: u16 = 2;
const LIVE_CHUNK_BYTES: usize = 128 * 1024;
/// How many live clients may read behind the window at a time.
const CATCH_UP_PERMITS: usize = 2;
/// From so many events on, the next look comes no sooner than [`MIN_POLL_INTERVAL`] after the last one.
const BURST_MIN: usize = 5;
/// The pause after the database did not answer.
const PAUSE: Duration = Duration::from_millis(250);

/// Events in log order, shared by all followers.
pub type Chunk = Vec<Arc<RecordedEvent>>;

/// The selected events of a part of the log, and the position where that part ends.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) events: Chunk,
    pub(crate) through: Position,
}

/// The process's one tailer, started by its first follower.
#[derive(Debug)]
pub(crate) struct Tail {
    running: OnceCell<Running>,
    catch_up: Semaphore,
}

impl Default for Tail {
    fn default() -> Self {
        Self { running: OnceCell::new(), catch_up: Semaphore::new(CATCH_UP_PERMITS) }
    }
}

/// How one follower reads.
#[derive(Clone, Copy, Debug)]
struct FollowOptions {
    size: PageSize,
    /// Needs a permit to read behind the window.
    needs_permit: bool,
}

#[derive(Debug)]
struct Running {
    window: Arc<RwLock<Window>>,
    /// The position up to which the window reaches.
    reached: watch::Receiver<Position>,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The latest events of the log, without a gap.
#[derive(Debug)]
struct Window {
    events: VecDeque<Arc<RecordedEvent>>,
    bytes: usize,
    /// The position before its first event.
    before: Position,
}

impl Window {
    fn push(&mut self, event: RecordedEvent) {
        self.bytes += event.bytes();
        self.events.push_back(Arc::new(event));
        while self.events.len() > WINDOW_EVENTS || self.bytes > WINDOW_BYTES && self.events.len() > 1 {
            let Some(oldest) = self.events.pop_front() else { return };
            self.bytes -= oldest.bytes();
            self.before = oldest.position;
        }
    }

    /// The events after a position, about `most` bytes of them; `None` if the window does not reach back so far.
    fn after(&self, position: Position, most: usize) -> Option<Chunk> {
        let skip = usize::try_from(position.0 - self.before.0).ok()?;
        let mut bytes = 0;
        let within = |event: &&Arc<RecordedEvent>| {
            let begins_within = bytes < most;
            bytes += event.bytes();
            begins_within
        };
        Some(self.events.iter().skip(skip).take(CHUNK.into()).take_while(within).cloned().collect())
    }
}

impl EventStore {
    /// The log after a position, to its end and then live: each item is some events in order, never none. It goes on after
    /// faults of the database, and ends when the store is closed.
    pub fn follow(&self, range: impl Into<LogRange>) -> impl Stream<Item = Chunk> + Send + 'static {
        self.following(
            range.into(),
            FollowOptions { size: PageSize::new(CHUNK, CHUNK, CHUNK_BYTES), needs_permit: false },
        )
    }

    /// The same for a live client, of which there may be thousands, each of them slow. It gets less at once, and only a few read
    /// behind the window at a time, so that a thousand clients that reconnect don't take the database from everybody else.
    pub fn follow_live(&self, range: impl Into<LogRange>) -> impl Stream<Item = Arc<RecordedEvent>> + Send + 'static {
        let size = PageSize::new(LIVE_CHUNK, CHUNK, LIVE_CHUNK_BYTES);
        self.following(range.into(), FollowOptions { size, needs_permit: true }).flat_map(stream::iter)
    }

    /// The events of one stream after a log position, to its end and then live, for a live client.
    pub async fn follow_stream(
        &self,
        id: StreamId,
        after: Position,
    ) -> Result<impl Stream<Item = Result<Arc<RecordedEvent>, StoreError>> + Send + 'static, StoreError> {
        // the past ends at the head, the live part begins there
        let head = self.head().await?;
        let store = self.clone();
        let page = move |after, limit| {
            let store = store.clone();
            async move {
                let _permit = store.tail.catch_up.acquire().await;
                store.stream_page(id, StreamRange::after(after), limit).await
            }
        };
        let size = PageSize::new(LIVE_CHUNK, CHUNK, LIVE_CHUNK_BYTES);
        let past = flat(pages(Version(0), size, |last| last.version, page))
            .try_skip_while(move |event| ready(Ok(event.position <= after)))
            .try_take_while(move |event| ready(Ok(event.position <= head)));
        let news = self.follow_live(head.max(after)).filter(move |event| ready(event.stream_id == id));
        Ok(past.map_ok(Arc::new).chain(news.map(Ok)))
    }

    fn following(&self, range: LogRange, options: FollowOptions) -> impl Stream<Item = Chunk> + Send + 'static {
        self.scans(range, options).map(|scan| scan.events).filter(|chunk| ready(!chunk.is_empty()))
    }

    /// The same, with the position up to which each item reaches; an item may be empty.
    pub(crate) fn follow_scans(&self, range: LogRange) -> impl Stream<Item = Scan> + Send + 'static {
        self.scans(range, FollowOptions { size: PageSize::new(CHUNK, CHUNK, CHUNK_BYTES), needs_permit: false })
    }

    fn scans(&self, range: LogRange, options: FollowOptions) -> impl Stream<Item = Scan> + Send + 'static {
        let store = self.clone();
        let LogRange { after, types } = range;
        stream::unfold((after, options), move |(after, mut options)| {
            let (store, types) = (store.clone(), types.clone());
            async move {
                let mut events = store.next_chunk(after, &mut options).await?;
                let through = events.last()?.position;
                events.retain(|event| types.selects(event));
                Some((Scan { events, through }, (through, options)))
            }
        })
    }

    /// The events after a position, as soon as there is one; `None` when the store is closed.
    async fn next_chunk(
        &self,
        after: Position,
        FollowOptions { size, needs_permit }: &mut FollowOptions,
    ) -> Option<Chunk> {
        loop {
            let running = self.tail.running.get_or_try_init(|| Running::start(self)).await;
            let running = match running {
                Ok(running) => running,
                Err(fault) => {
                    self.rest(&fault).await?;
                    continue;
                }
            };
            let mut reached = running.reached.clone();
            let known = *reached.borrow_and_update();
            if known > after {
                let window = running.window.read().unwrap_or_else(PoisonError::into_inner).after(after, size.bytes());
                match window {
                    Some(chunk) if !chunk.is_empty() => return Some(chunk),
                    _ => {}
                }
                let permit = if *needs_permit { self.tail.catch_up.acquire().await.ok() } else { None };
                let page = self.read_page(after, size.events()).await;
                drop(permit);
                match page {
                    Ok(page) if page.is_empty() => {}
                    Ok(page) => {
                        *size = size.after(&page);
                        return Some(page.into_iter().map(Arc::new).collect());
                    }
                    Err(fault) => {
                        self.rest(&fault).await?;
                        continue;
                    }
                }
            }
            // an error means that the tailer has ended
            reached.wait_for(|reached| *reached > after.max(known)).await.ok()?;
        }
    }

    async fn rest(&self, fault: &StoreError) -> Option<()> {
        if self.pool.is_closed() {
            return None;
        }
        tracing::warn!(error = ?fault, "the log can't be read; trying again");
        tokio::time::sleep(PAUSE).await;
        Some(())
    }
}

impl Running {
    async fn start(store: &EventStore) -> Result<Self, StoreError> {
        let head = read::head(&store.pool).await?;
        let window = Window { events: VecDeque::new(), bytes: 0, before: head };
        let window = Arc::new(RwLock::new(window));
        let (reach, reached) = watch::channel(head);
        let tailer =
            Tailer { pool: store.pool.clone(), appender: store.appender.clone(), window: window.clone(), reach };
        Ok(Self { window, reached, task: tokio::spawn(tailer.run(head)) })
    }
}

struct Tailer {
    pool: PgPool,
    appender: Arc<Appender>,
    window: Arc<RwLock<Window>>,
    reach: watch::Sender<Position>,
}

impl Tailer {
    async fn run(self, mut tail: Position) {
        let mut listener = None;
        while !self.pool.is_closed() {
            let began = Instant::now();
            match self.read(tail).await {
                Ok(None) => self.wake(&mut listener, tail).await,
                Ok(Some((count, last))) => {
                    tail = last;
                    METRICS.tail.record(tail.0.unsigned_abs(), &[]);
                    // a full page: there is more
                    if count < usize::from(CHUNK) {
                        if count >= BURST_MIN {
                            tokio::time::sleep_until(began + MIN_POLL_INTERVAL).await;
                        }
                        self.wake(&mut listener, tail).await;
                    }
                }
                Err(fault) => {
                    tracing::warn!(error = ?fault, "the log can't be read; trying again");
                    tokio::time::sleep(PAUSE).await;
                    self.wake(&mut listener, tail).await;
                }
            }
        }
    }

    /// Reads new events into the window; returns how many, and the position of the last one.
    async fn read(&self, tail: Position) -> Result<Option<(usize, Position)>, StoreError> {
        let page = read::page(&self.pool, tail, CHUNK).await?;
        let (count, Some(last)) = (page.len(), page.last().map(|event| event.position)) else { return Ok(None) };
        {
            let mut window = self.window.write().unwrap_or_else(PoisonError::into_inner);
            for event in page {
                window.push(event);
            }
        }
        self.reach.send_replace(last);
        Ok(Some((count, last)))
    }

    /// Returns when there may be new events: this process or another one has appended, or it is time to look.
    async fn wake(&self, listener: &mut Option<PgListener>, tail: Position) {
        if listener.is_none() {
            *listener = notify::listen(&self.pool).await;
        }
        let heard = async {
            match listener {
                Some(listener) => notify::wait_beyond(listener, tail).await.is_ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.appender.appended() => {}
            heard = heard => if !heard { *listener = None },
            () = tokio::time::sleep(POLL) => {}
        }
    }
}
