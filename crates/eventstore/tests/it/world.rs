//! What the tests share: a store on a database of its own, and short ways to say what they append.

use chrono::{DateTime, TimeZone, Utc};
use devstack::testing::TestDatabase;
use eventstore::{
    Append, AppendError, Appended, CommandId, EventStore, Expected, Metadata, NewEvent, Options, Outcome, ReceiptKey,
    RecordedEvent, StreamId, StreamRange, StreamType, Unit, Version,
};
use futures_util::TryStreamExt;
use sqlx::PgPool;
use uuid::Uuid;

pub(crate) struct World {
    pub(crate) store: EventStore,
    pub(crate) pool: PgPool,
    pub(crate) database: TestDatabase,
}

/// A changed schema makes a new template.
fn template() -> String {
    format!("eventstore_{}", eventstore::schema_digest())
}

pub(crate) async fn migrated(url: String) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let pool = PgPool::connect(&url).await?;
    eventstore::migrate(&pool).await?;
    pool.close().await;
    Ok(())
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let database = TestDatabase::create(&template(), migrated).await;
        let pool = PgPool::connect(database.url()).await.unwrap();
        Self { store: EventStore::open(pool.clone(), options), pool, database }
    }

    pub(crate) async fn stream(&self, id: StreamId) -> Vec<RecordedEvent> {
        self.store.read_stream(id, StreamRange::default()).await.unwrap()
    }

    pub(crate) async fn log(&self) -> Vec<RecordedEvent> {
        self.store.read_log(eventstore::Position(0)).try_collect().await.unwrap()
    }
}

pub(crate) fn stream(n: u128) -> StreamId {
    StreamId(Uuid::from_u128(n))
}

pub(crate) fn at(second: i64) -> DateTime<Utc> {
    Utc.timestamp_opt(1_700_000_000 + second, 0).unwrap()
}

pub(crate) fn event(payload: &str) -> NewEvent {
    NewEvent { event_type: "thing.happened".into(), schema_version: 1, payload: payload.into(), occurred_at: at(0) }
}

pub(crate) fn exact(version: i64) -> Expected {
    Expected::Exact(Version(version))
}

pub(crate) const THING: StreamType = StreamType::from_static("thing");

pub(crate) fn append(stream_id: StreamId, expected: Expected, events: Vec<NewEvent>) -> Append {
    Append::new(THING, stream_id, expected, events)
}

pub(crate) fn unit(command: u128, stream_id: StreamId, expected: Expected, events: Vec<NewEvent>) -> Unit {
    Unit::new(Metadata::new(CommandId(Uuid::from_u128(command)))).append(append(stream_id, expected, events))
}

pub(crate) fn receipt(key: &str) -> ReceiptKey {
    ReceiptKey::new("me", key, vec![1, 2, 3], 201)
}

pub(crate) fn appended(answer: Result<Outcome, AppendError>) -> Appended {
    match answer {
        Ok(Outcome::Appended(appended)) => appended,
        other => panic!("expected an append, got {other:?}"),
    }
}

/// Positions are 1..N, every stream's versions 1..n, `recorded_at` never runs backwards.
pub(crate) fn assert_sound(log: &[RecordedEvent]) {
    let mut versions = std::collections::HashMap::new();
    for (index, event) in log.iter().enumerate() {
        assert_eq!(event.position.0, i64::try_from(index).unwrap() + 1, "a gap in the positions");
        let version = versions.entry(event.stream_id).or_insert(0);
        *version += 1;
        assert_eq!(event.version.0, *version, "a gap in the versions of {}", event.stream_id);
    }
    assert!(log.is_sorted_by_key(|event| event.recorded_at));
}
