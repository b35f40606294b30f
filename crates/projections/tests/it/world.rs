//! What the tests share: a log of tickets, projections over it, and the fold that they are held against.

use shared_kernel::{Aggregate, Stamp, StreamVersion, codec};
use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeZone, Utc};
use devstack::testing::TestDatabase;
use eventstore::{
    Append, CommandId, EventStore, Expected, Metadata, NewEvent, Options, Position, StreamId, StreamRange, StreamType,
    Unit,
};
use projections::{AtLeast, Order, Projections, Reader, Sort, TicketQuery, Viewer};
use sqlx::{Executor, PgPool};
use ticket_aggregate::{Event, Ticket};
use tokio::task::JoinSet;
use uuid::Uuid;

pub(crate) use crate::stories::{note, opened, story};

pub(crate) struct World {
    pub(crate) store: EventStore,
    /// The owner's: for looking, and for meddling.
    pub(crate) pool: PgPool,
    pub(crate) database: TestDatabase,
}

/// The projections of one process; killed when dropped.
pub(crate) struct Process {
    pub(crate) reader: Reader,
    _tasks: JoinSet<()>,
}

/// What the program's connections run; the desk's own (`desk::SESSION_SQL`).
const AS_PROGRAM: &str = "set role docket_program";

async fn migrated(url: String) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let pool = PgPool::connect(&url).await?;
    eventstore::migrate(&pool).await?;
    // what the desk's migrations do for it
    pool.execute(
        "do $$ begin
           if not exists (select from pg_roles where rolname = 'docket_program') then create role docket_program nologin; end if;
         exception when duplicate_object or unique_violation then null; end $$;
         grant usage on schema public to docket_program;
         grant select, insert on events, aliases, receipts to docket_program",
    )
    .await?;
    eventsourcing::MIGRATOR.run(&pool).await?;
    projections::MIGRATOR.run(&pool).await?;
    pool.close().await;
    Ok(())
}

/// A changed schema makes a new template.
fn template() -> String {
    format!("projections_{}_{}", eventsourcing::schema_digest(), projections::schema_digest())
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create(&template(), migrated).await;
        let pool = PgPool::connect(database.url()).await.unwrap();
        Self { store: open(&database).await, pool, database }
    }

    /// Starts another process.
    pub(crate) async fn process(&self) -> Process {
        let store = open(&self.database).await;
        let pool = program_pool(&self.database).await;
        let projections = Projections::new(store, pool);
        let reader = projections.reader();
        let mut tasks = JoinSet::new();
        tasks.spawn(projections.run(std::future::pending()));
        Process { reader, _tasks: tasks }
    }

    /// Records events of a ticket.
    pub(crate) async fn record(&self, stream: StreamId, events: &[Event]) -> Position {
        self.record_as::<Ticket>(stream, events).await
    }

    /// Records events of any aggregate.
    pub(crate) async fn record_as<A: Aggregate>(&self, stream: StreamId, events: &[A::Event]) -> Position {
        let events = events.iter().map(|event| {
            let encoded = codec::encode(event).unwrap();
            let (event_type, schema_version) = (encoded.event_type.to_owned(), encoded.schema_version);
            NewEvent { event_type, schema_version, payload: encoded.payload, occurred_at: at(0) }
        });
        self.append(A::TYPE, stream, events.collect()).await
    }

    /// An event that no program can read.
    pub(crate) async fn record_poison(&self, stream: StreamId) -> Position {
        let event = NewEvent {
            event_type: "ticket.frozen".into(),
            schema_version: 1,
            payload: "{}".into(),
            occurred_at: at(0),
        };
        self.append(Ticket::TYPE, stream, vec![event]).await
    }

    /// Appends an event of a record that no read model follows.
    pub(crate) async fn record_other(&self, stream: StreamId) -> Position {
        let event = NewEvent::new("other.created", 1, r#"{"name":"facilities"}"#, at(0));
        self.append("other", stream, vec![event]).await
    }

    pub(crate) async fn append(&self, stream_type: &'static str, stream: StreamId, events: Vec<NewEvent>) -> Position {
        let append = Append::new(StreamType::from_static(stream_type), stream, Expected::Any, events);
        let unit = Unit::new(Metadata::new(CommandId(Uuid::nil()))).append(append);
        match self.store.append(unit).await.unwrap() {
            eventstore::Outcome::Appended(appended) => appended.last.unwrap(),
            eventstore::Outcome::Replayed(_) => panic!("nothing is replayed here"),
        }
    }

    /// A ticket with a story of its own; `n` decides on everything.
    pub(crate) async fn story(&self, n: u128) -> Position {
        let mut last = Position(0);
        for event in story(n) {
            last = self.record(ticket(n), &[event]).await;
        }
        last
    }

    /// Every ticket as its stream says.
    pub(crate) async fn folded(&self) -> BTreeMap<StreamId, Ticket> {
        self.folded_as::<Ticket>().await
    }

    /// Every record of an aggregate as its stream says.
    pub(crate) async fn folded_as<A: Aggregate>(&self) -> BTreeMap<StreamId, A::State> {
        let streams: Vec<Uuid> = sqlx::query_scalar("select distinct stream_id from events where stream_type = $1")
            .bind(A::TYPE)
            .fetch_all(&self.pool)
            .await
            .unwrap();
        let mut folded = BTreeMap::new();
        for stream in streams.into_iter().map(StreamId) {
            let mut state = None;
            for event in self.store.read_stream(stream, StreamRange::default()).await.unwrap() {
                let version = StreamVersion(event.version.0);
                let stamp = Stamp { occurred_at: event.occurred_at, version };
                if let Ok(decoded) = codec::decode(&event.event_type, event.schema_version, &event.payload) {
                    state = A::evolve(state, &decoded, &stamp);
                }
            }
            folded.insert(stream, state.unwrap());
        }
        folded
    }

    /// All read models, once they have read everything, are what the streams say.
    pub(crate) async fn assert_right(&self, reader: &Reader) {
        crate::records::assert_right(self, reader).await;
        let head = self.store.head().await.unwrap();
        let expected = self.folded().await;
        let found = all_tickets(reader, head).await;
        assert_eq!(found.len(), expected.len(), "as many rows as tickets");
        for (stream, ticket) in &expected {
            assert_eq!(found.get(stream), Some(ticket));
        }
        let mut counts: BTreeMap<_, i64> = BTreeMap::new();
        for ticket in expected.into_values() {
            *counts.entry((ticket.team, ticket.status, ticket.assignee, ticket.priority)).or_default() += 1;
        }
        let queues = reader.queues(&Viewer::Everything, at_least(head)).await.unwrap().queues;
        let found = queues.into_iter().map(|q| ((q.team, q.status, q.assignee, q.priority), q.count)).collect();
        assert_eq!(counts, found, "the queues add up to the tickets");
    }
}

async fn program_pool(database: &TestDatabase) -> PgPool {
    let options = sqlx::postgres::PgPoolOptions::new()
        .max_connections(4)
        .after_connect(|connection, _| Box::pin(async move { connection.execute(AS_PROGRAM).await.map(drop) }));
    options.connect(database.url()).await.unwrap()
}

async fn open(database: &TestDatabase) -> EventStore {
    let options = Options::default().on_connect(AS_PROGRAM);
    EventStore::open(program_pool(database).await, options)
}

/// Waits until all live read models have read up to a position.
pub(crate) async fn caught_up(reader: &Reader, position: Position) {
    eventually("all read models catch up", async || {
        let all = reader.status().await.unwrap();
        let live = all.iter().filter(|status| status.state == "live" && status.position >= position);
        (live.count() == projections::names().count()).then_some(())
    })
    .await;
}

pub(crate) fn at_least(position: Position) -> AtLeast {
    AtLeast { position, wait: Duration::from_secs(20) }
}

/// All tickets, by number.
pub(crate) fn everything() -> TicketQuery {
    TicketQuery {
        viewer: Viewer::Everything,
        status: Vec::new(),
        priority: Vec::new(),
        team: None,
        assignee: None,
        requester: Vec::new(),
        tag: None,
        category: None,
        created_after: None,
        created_before: None,
        updated_after: None,
        updated_before: None,
        q: None,
        sort: Sort { order: Order::Number, descending: false },
        limit: 200,
        cursor: None,
    }
}

pub(crate) async fn all_tickets(reader: &Reader, position: Position) -> BTreeMap<StreamId, Ticket> {
    let mut query = everything();
    let mut all = BTreeMap::new();
    loop {
        let page = reader.tickets(&query, at_least(position)).await.unwrap();
        for row in page.items {
            assert_eq!(row.version.0, row.ticket.version.0);
            assert!(all.insert(StreamId(row.id.0), row.ticket).is_none(), "{} twice", row.id);
        }
        query.cursor = page.next;
        if query.cursor.is_none() {
            return all;
        }
    }
}

pub(crate) fn ticket(n: u128) -> StreamId {
    StreamId(Uuid::from_u128(0x0193_5b1e_0000_7000_8000_0000_0000_0000 + n))
}

pub(crate) fn at(second: i64) -> DateTime<Utc> {
    Utc.timestamp_opt(1_760_000_000 + second, 0).unwrap()
}

/// A due time that no test lives to see.
pub(crate) fn far() -> DateTime<Utc> {
    at(2_000_000_000)
}

/// Waits until `found` finds something.
pub(crate) async fn eventually<T>(what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = found().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
