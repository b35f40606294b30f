//! Following the log: from any position to its end, and then live (docs/adr/0015).
//!
//! One tailer a process reads what is new, and keeps the last of it in memory; every follower in the
//! process takes it from there. Positions are gapless, so a follower's place in that window is
//! arithmetic. A follower that is behind the window reads pages of its own until it is within. One that
//! is slow falls out of the window, and nobody waits for it: memory is bounded by the window.
//!
//! Wake-ups only wake; what guarantees is that the tailer looks by itself every [`POLL`].

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
use crate::pages::{PageSize, flat, pages};
use crate::{EventStore, LogRange, Position, RecordedEvent, StoreError, StreamId, StreamRange, Version, read};

/// How long a lost wake-up can delay an event.
const POLL: Duration = Duration::from_millis(500);
/// How many events the window holds at the most, and how many bytes of them.
const WINDOW_EVENTS: usize = 16_384;
const WINDOW_BYTES: usize = 16 * 1024 * 1024;
/// How many events a follower gets at once at the most.
const CHUNK: u16 = 1_000;
/// And how many bytes of them, about.
const CHUNK_BYTES: usize = 1024 * 1024;
/// The same for one of many, who may be slow and keep what it has got: there may be a thousand of them.
const SHARE: u16 = 2;
const SHARE_BYTES: usize = 128 * 1024;
/// How many of the many, where they are behind the window, read the log at a time.
const TURNS: usize = 2;
/// While more than a few events come at once, it is no sooner looked for more than this after the last time: a look for
/// each batch of the appender costs more than the events.
pub(crate) const PACE: Duration = Duration::from_millis(5);
const FEW: usize = 4;
/// The pause after the database did not answer.
const PAUSE: Duration = Duration::from_millis(250);
/// The channel on which processes wake each other.
pub(crate) const CHANNEL: &str = "eventstore";

/// Events in order, without a gap between them. The events are shared by all followers.
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
    turns: Semaphore,
}

impl Default for Tail {
    fn default() -> Self {
        Self { running: OnceCell::new(), turns: Semaphore::new(TURNS) }
    }
}

/// How one follower reads.
#[derive(Clone, Copy, Debug)]
struct Manner {
    size: PageSize,
    /// Waits for its turn before it asks the database.
    in_turn: bool,
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

/// The last events of the log, one after the other.
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

    /// What comes after a position, of about so many bytes; `None` where the window has forgotten it.
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
    /// The log after a position, to its end and then live: each item some events in order, never none. It
    /// reads past the events of other stream types than the range's, goes on over faults of the database, and ends when the store is closed.
    pub fn follow(&self, range: impl Into<LogRange>) -> impl Stream<Item = Chunk> + Send + 'static {
        self.following(range.into(), Manner { size: PageSize::new(CHUNK, CHUNK, CHUNK_BYTES), in_turn: false })
    }

    /// The same for one of many, each of whom may be slow: it gets less at once, and reads what is behind the window in
    /// turn with the others, so that a thousand who come back leave the database to whoever else asks it.
    pub fn follow_in_turn(
        &self,
        range: impl Into<LogRange>,
    ) -> impl Stream<Item = Arc<RecordedEvent>> + Send + 'static {
        let size = PageSize::new(SHARE, CHUNK, SHARE_BYTES);
        self.following(range.into(), Manner { size, in_turn: true }).flat_map(stream::iter)
    }

    /// One stream after a position, to its end and then live, for one of many.
    pub async fn follow_stream(
        &self,
        id: StreamId,
        after: Position,
    ) -> Result<impl Stream<Item = Result<Arc<RecordedEvent>, StoreError>> + Send + 'static, StoreError> {
        // what is up to the head is there already, what follows comes after it
        let head = self.head().await?;
        let store = self.clone();
        let page = move |after, limit| {
            let store = store.clone();
            async move {
                let _turn = store.tail.turns.acquire().await;
                store.stream_page(id, StreamRange::after(after), limit).await
            }
        };
        let size = PageSize::new(SHARE, CHUNK, SHARE_BYTES);
        let past = flat(pages(Version(0), size, |last| last.version, page))
            .try_skip_while(move |event| ready(Ok(event.position <= after)))
            .try_take_while(move |event| ready(Ok(event.position <= head)));
        let news = self.follow_in_turn(head.max(after)).filter(move |event| ready(event.stream_id == id));
        Ok(past.map_ok(Arc::new).chain(news.map(Ok)))
    }

    fn following(&self, range: LogRange, manner: Manner) -> impl Stream<Item = Chunk> + Send + 'static {
        self.scans(range, manner).map(|scan| scan.events).filter(|chunk| ready(!chunk.is_empty()))
    }

    /// The same, with the position up to which each item reaches; an item may be empty.
    pub(crate) fn follow_scans(&self, range: LogRange) -> impl Stream<Item = Scan> + Send + 'static {
        self.scans(range, Manner { size: PageSize::new(CHUNK, CHUNK, CHUNK_BYTES), in_turn: false })
    }

    fn scans(&self, range: LogRange, manner: Manner) -> impl Stream<Item = Scan> + Send + 'static {
        let store = self.clone();
        let LogRange { after, types } = range;
        stream::unfold((after, manner), move |(after, mut manner)| {
            let (store, types) = (store.clone(), types.clone());
            async move {
                let mut events = store.next_chunk(after, &mut manner).await?;
                let through = events.last()?.position;
                events.retain(|event| types.selects(event));
                Some((Scan { events, through }, (through, manner)))
            }
        })
    }

    /// The events after a position, as soon as there is one; `None` when the store is closed.
    async fn next_chunk(&self, after: Position, Manner { size, in_turn }: &mut Manner) -> Option<Chunk> {
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
                let turn = if *in_turn { self.tail.turns.acquire().await.ok() } else { None };
                let page = self.read_page(after, size.events()).await;
                drop(turn);
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
            // a sender that is gone is a tailer that has ended
            reached.wait_for(|reached| *reached > after.max(known)).await.ok()?;
        }
    }

    async fn rest(&self, fault: &StoreError) -> Option<()> {
        if self.pool.is_closed() {
            return None;
        }
        tracing::warn!(error = ?fault, "the log can't be followed now");
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
                        if count > FEW {
                            tokio::time::sleep_until(began + PACE).await;
                        }
                        self.wake(&mut listener, tail).await;
                    }
                }
                Err(fault) => {
                    tracing::warn!(error = ?fault, "the log can't be followed now");
                    tokio::time::sleep(PAUSE).await;
                    self.wake(&mut listener, tail).await;
                }
            }
        }
    }

    /// Reads what is new into the window: how many events, and the position of the last; `None` where nothing is.
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

    /// Returns when there may be something new: this process or another has appended, or it is time to look.
    async fn wake(&self, listener: &mut Option<PgListener>, tail: Position) {
        if listener.is_none() {
            *listener = listen(&self.pool).await;
        }
        let heard = async {
            match listener {
                Some(listener) => heard_of_more(listener, tail).await.is_ok(),
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

/// Returns when a process has told of a position beyond the tail: one's own word comes back, too.
async fn heard_of_more(listener: &mut PgListener, tail: Position) -> Result<(), sqlx::Error> {
    loop {
        let told = listener.recv().await?;
        if told.payload().parse().map_or(true, |position: i64| position > tail.0) {
            return Ok(());
        }
    }
}

/// Without a listener the tailer still looks by itself.
async fn listen(pool: &PgPool) -> Option<PgListener> {
    let mut listener = PgListener::connect_with(pool).await.ok()?;
    listener.listen(CHANNEL).await.ok()?;
    Some(listener)
}
