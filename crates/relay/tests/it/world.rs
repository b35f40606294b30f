//! What the tests share: a log, a broker of the test's own, and relays between them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, stream::Stream};
use chrono::{DateTime, Utc};
use devstack::Nats;
use devstack::testing::{TempDir, TestDatabase, private_nats};
use eventstore::{
    Append, CommandId, EventStore, Expected, Metadata, NewEvent, Options, Outcome, Position, StreamId, StreamType, Unit,
};
use relay::{Config, Relay, State, Status};
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The `source` of all messages.
pub(crate) const SOURCE: &str = "urn:uuid:00000000-0000-0000-0000-000000000001";

pub(crate) struct World {
    pub(crate) log: Log,
    pub(crate) broker: Broker,
}

/// A log in a database of its own.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) store: EventStore,
    pub(crate) pool: PgPool,
    _database: Arc<TestDatabase>,
}

/// A broker that can be killed.
pub(crate) struct Broker {
    nats: Option<Nats>,
    pub(crate) url: String,
    folder: TempDir,
}

/// A relay that runs until it is dropped.
pub(crate) struct Running {
    pub(crate) status: watch::Receiver<Status>,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let (log, broker) = tokio::join!(Log::new(), Broker::new());
        Self { log, broker }
    }

    pub(crate) fn relay(&self) -> Running {
        self.log.relay(&self.broker)
    }

    /// Waits until the broker has all of the log, then compares all of it.
    pub(crate) async fn assert_whole(&self) {
        let head = self.log.head().await;
        until("the broker has all of the log", async || self.broker.last().await == Some(head)).await;
        let report = relay::audit(&self.log.store, &self.broker.config(), |_| {}).await.unwrap();
        assert_eq!((report.broken, report.messages), (0, head), "{report:?}");
    }
}

impl Log {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create(&template(), migrated).await;
        let pool = PgPool::connect(database.url()).await.unwrap();
        Self { store: EventStore::open(pool.clone(), Options::default()), pool, _database: Arc::new(database) }
    }

    pub(crate) fn relay(&self, broker: &Broker) -> Running {
        let relay = Relay::new(self.store.clone(), broker.config());
        let status = relay.status();
        Running { status, task: tokio::spawn(relay.run(std::future::pending())) }
    }

    pub(crate) async fn head(&self) -> u64 {
        self.store.head().await.unwrap().0.unsigned_abs()
    }

    /// Appends so many events, one a command, to some twenty streams.
    pub(crate) async fn append(&self, count: usize) {
        let mut left = count;
        while left > 0 {
            let batch = left.min(200);
            let answers = (0..batch).map(|n| self.store.append(unit(n)));
            for answer in futures_util::future::join_all(answers).await {
                assert!(matches!(answer, Ok(Outcome::Appended(_))), "{answer:?}");
            }
            left -= batch;
        }
    }

    /// As the owner, past the triggers that refuse it to everybody else.
    pub(crate) async fn tamper(&self, sql: &'static str) {
        sqlx::raw_sql("alter table events disable trigger all").execute(&self.pool).await.unwrap();
        sqlx::raw_sql(sql).execute(&self.pool).await.unwrap();
    }
}

fn unit(n: usize) -> Unit {
    let actor = serde_json::json!({"kind": "agent", "id": "ada"});
    let extra = [("actor".to_owned(), actor), ("correlation_id".to_owned(), "request-1".into())];
    let metadata = Metadata {
        command_id: CommandId(Uuid::now_v7()),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        extra: extra.into_iter().collect(),
    };
    // the time is the same for all: several commands to one stream may be in one batch
    let event =
        NewEvent::new("ticket.public_reply_added", 1, format!(r#"{{"body" : "reply {n}"}}"#), DateTime::UNIX_EPOCH);
    let stream = StreamId(Uuid::from_u128(1 + n as u128 % 20));
    Unit::new(metadata).append(Append::new(StreamType::from_static("ticket"), stream, Expected::Any, vec![event]))
}

impl Broker {
    pub(crate) async fn new() -> Self {
        let (folder, nats) = private_nats().await;
        Self { url: nats.url().to_owned(), nats: Some(nats), folder }
    }

    pub(crate) fn config(&self) -> Config {
        let fast = Duration::from_millis(60);
        Config { poll: fast, recheck: fast, ..Config::new(self.url.clone(), SOURCE, Utc::now) }
    }

    pub(crate) async fn kill(&mut self) {
        let nats = self.nats.take().unwrap();
        let killed = std::process::Command::new("kill").args(["-9", &nats.pid().to_string()]).status().unwrap();
        assert!(killed.success());
        nats.exited().await;
    }

    pub(crate) async fn stop(&mut self) {
        self.nats.take().unwrap().stop().await.unwrap();
    }

    /// On the port that it had.
    pub(crate) async fn start(&mut self) {
        let nats = Nats::start(self.folder.path()).await.unwrap();
        assert_eq!(nats.url(), self.url, "on its port");
        self.nats = Some(nats);
    }

    /// Where its streams stand.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("nats")
    }

    pub(crate) async fn jetstream(&self) -> jetstream::Context {
        jetstream::new(relay::connect(&self.url).await.unwrap())
    }

    pub(crate) async fn stream(&self) -> Stream {
        self.jetstream().await.get_stream("DOCKET").await.unwrap()
    }

    pub(crate) async fn last(&self) -> Option<u64> {
        let client = relay::connect(&self.url).await.ok()?;
        let stream = jetstream::new(client).get_stream("DOCKET").await.ok()?;
        Some(stream.cached_info().state.last_sequence)
    }

    pub(crate) async fn delete_stream(&self) {
        self.jetstream().await.delete_stream("DOCKET").await.unwrap();
    }

    /// A stream like the relay's own, with something changed.
    pub(crate) async fn make_stream(&self, change: impl FnOnce(&mut jetstream::stream::Config)) {
        let mut config = jetstream::stream::Config {
            name: "DOCKET".into(),
            subjects: vec!["docket.>".into()],
            allow_direct: true,
            ..Default::default()
        };
        change(&mut config);
        self.jetstream().await.create_stream(config).await.unwrap();
    }
}

impl Running {
    pub(crate) async fn until(&self, what: &str, mut is: impl FnMut(&Status) -> bool) -> Status {
        let mut status = self.status.clone();
        let waited = tokio::time::timeout(Duration::from_secs(30), status.wait_for(|status| is(status))).await;
        let Ok(reached) = waited else { panic!("not in time: {what}; it is {:?}", *self.status.borrow()) };
        reached.unwrap().clone()
    }

    pub(crate) async fn until_live_at(&self, position: u64) {
        let position = Position(i64::try_from(position).unwrap());
        self.until("live", |s| s.state == State::Live && s.position == Some(position)).await;
    }
}

/// Waits for a condition, not for a time.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition().await {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A changed schema makes a new template.
fn template() -> String {
    format!("relay_{}", eventstore::schema_digest())
}

async fn migrated(url: String) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let pool = PgPool::connect(&url).await?;
    eventstore::migrate(&pool).await?;
    pool.close().await;
    Ok(())
}
