//! A desk on a database of its own. Whatever depends on the desk's types stands here, so that the tests state behaviour
//! and nothing else: given (`World::open`, `When::ok`), when (`World::when`), then (`When::ok`, `When::refused`, the log).

use shared_kernel::DomainEvent;
use shared_kernel::{Requester, Role};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use desk::{AuditReport, Desk, DeskError, Idempotency, Keys, NewKey, Policy, Precondition, Request};
use devstack::testing::TestDatabase;
use eventstore::{EventStore, Options, RecordedEvent, StreamId, StreamRange, Version};
use shared_kernel::Principal;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Executor, PgPool, Postgres, Transaction};
use ticket_aggregate::{Channel, Command, Open, Priority, Ticket, TicketId, TicketNumber};
use uuid::Uuid;

use crate::people::{hour, lea, rita, team, teams_of};

/// The database comes last: fields are dropped in order.
pub(crate) struct World {
    pub(crate) desk: Desk,
    /// Connections of the tables' owner, to look at tables and to tamper with them.
    pub(crate) owner: PgPool,
    ids: Arc<AtomicU64>,
    database: TestDatabase,
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) id: TicketId,
    pub(crate) version: i64,
    pub(crate) position: i64,
    /// How many events were recorded, on all tickets.
    pub(crate) events: usize,
    /// The status that was answered the first time.
    pub(crate) replayed: Option<i16>,
    pub(crate) ticket: Ticket,
}

/// Why the desk did not do it. `code` is that of the rejection, where the rules of a ticket reject the command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    /// Of a failed precondition: the version that the ticket is at.
    pub(crate) current: Option<i64>,
    /// Of a failed precondition: the events since the version that the caller knew.
    pub(crate) between: Vec<String>,
    /// Of a failed precondition: the version after which to read on.
    pub(crate) more: Option<i64>,
    /// Of a source id that is taken: the ticket that holds it.
    pub(crate) holder: Option<TicketId>,
}

/// A request to be executed.
pub(crate) struct When<'a> {
    desk: &'a Desk,
    request: Request,
}

async fn migrated(url: String) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let pool = PgPool::connect(&url).await?;
    desk::migrate(&pool).await?;
    pool.close().await;
    Ok(())
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create(&format!("desk_{}", desk::schema_digest()), migrated).await;
        let owner = PgPoolOptions::new().max_connections(2).connect(database.url()).await.unwrap();
        let ids = Arc::new(AtomicU64::new(1));
        Self { desk: start(database.url()).await, owner, ids, database }
    }

    /// Another process on the same database, with a cache of its own.
    pub(crate) async fn another(&self) -> Desk {
        start(self.database.url()).await
    }

    pub(crate) fn new_id(&self) -> TicketId {
        TicketId(next(&self.ids))
    }

    pub(crate) fn when(&self, caller: Principal, ticket: TicketId, command: Command) -> When<'_> {
        self.when_all(caller, ticket, vec![command])
    }

    pub(crate) fn when_all(&self, caller: Principal, ticket: TicketId, commands: Vec<Command>) -> When<'_> {
        let ids = self.ids.clone();
        let request = Request::new(ticket, commands, caller, hour(0), move || next(&ids));
        When { desk: &self.desk, request }
    }

    /// The opening of a new ticket.
    pub(crate) async fn opening(&self, caller: Principal, adapt: impl FnOnce(&mut Open)) -> When<'_> {
        let mut open = opening(self.desk.next_number().await.unwrap());
        if caller.role == Role::Requester {
            open.team = None;
        }
        adapt(&mut open);
        self.when(caller, self.new_id(), Command::Open(open))
    }

    /// Opens a ticket of Rita's in the team `hardware`.
    pub(crate) async fn open(&self) -> TicketId {
        let for_rita = |open: &mut Open| open.requester = Some(Requester::parse(&rita().id, None).unwrap());
        self.opening(lea(), for_rita).await.ok().await.id
    }

    pub(crate) async fn recorded(&self, ticket: TicketId) -> Vec<RecordedEvent> {
        self.desk.store().read_stream(StreamId(ticket.0), StreamRange::default()).await.unwrap()
    }

    /// The types of a ticket's events, without the prefix `ticket.`.
    pub(crate) async fn events(&self, ticket: TicketId) -> Vec<String> {
        self.recorded(ticket).await.iter().map(|event| short(&event.event_type)).collect()
    }

    pub(crate) async fn head(&self) -> i64 {
        self.desk.store().head().await.unwrap().0
    }

    pub(crate) async fn verify(&self) -> AuditReport {
        self.desk.verify(|_| {}).await.unwrap()
    }

    /// Makes a staff member's API key; gives its id.
    pub(crate) async fn key(&self, role: Role, name: &str, teams: &[&str]) -> desk::KeyId {
        let key = NewKey::staff(role, name, teams_of(teams)).unwrap();
        self.desk.keys().create(&key, hour(0)).await.unwrap().id
    }

    /// Runs SQL as the tables' owner, past the triggers that keep the log as it is.
    pub(crate) async fn tamper(&self, sql: &str) {
        let sql = format!("alter table events disable trigger all; {sql}; alter table events enable trigger all");
        self.owner.execute(AssertSqlSafe(sql)).await.unwrap();
    }

    /// Keeps every process's appends waiting until this is dropped or released. Those that wait are let in first come,
    /// first served.
    pub(crate) async fn hold_appends(&self) -> Transaction<'static, Postgres> {
        let mut held = self.owner.begin().await.unwrap();
        held.execute("select pg_advisory_xact_lock(eventstore_lock())").await.unwrap();
        held
    }

    /// Waits until so many appends wait for the log.
    pub(crate) async fn until_waiting(&self, appends: i64) {
        let waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted
            and database = (select oid from pg_database where datname = current_database())";
        eventually("appends wait", async || {
            let count: i64 = sqlx::query_scalar(waiting).fetch_one(&self.owner).await.unwrap();
            (count == appends).then_some(())
        })
        .await;
    }
}

impl<'a> When<'a> {
    pub(crate) fn on(self, desk: &'a Desk) -> Self {
        Self { desk, ..self }
    }

    fn with(mut self, change: impl FnOnce(&mut Request)) -> Self {
        change(&mut self.request);
        self
    }

    /// On another ticket than the one named before.
    pub(crate) fn on_ticket(self, ticket: TicketId) -> Self {
        self.with(|request| request.ticket = ticket)
    }

    /// One more command of the same request.
    pub(crate) fn and(self, command: Command) -> Self {
        self.with(|request| request.commands.push(command))
    }

    pub(crate) fn at(self, hours: i64) -> Self {
        self.with(|request| request.now = hour(hours))
    }

    pub(crate) fn if_version(self, versions: &[i64]) -> Self {
        let versions = versions.iter().copied().map(Version).collect();
        self.with(|request| request.precondition = Precondition::OneOf(versions))
    }

    /// With an idempotency key, for a request with this fingerprint; a success is answered with 201.
    pub(crate) fn key(self, key: &str, fingerprint: &str) -> Self {
        let idempotency = Idempotency { key: key.into(), fingerprint: fingerprint.into(), status: 201 };
        self.with(|request| request.idempotency = Some(idempotency))
    }

    pub(crate) fn because(self, cause: serde_json::Value, correlation_id: &str, traceparent: &str) -> Self {
        self.with(|request| {
            request.cause = Some(cause);
            request.correlation_id = Some(correlation_id.into());
            request.traceparent = Some(traceparent.into());
        })
    }

    pub(crate) fn reopen_until(self, hours: i64) -> Self {
        self.with(|request| request.reopen_until = Some(hour(hours)))
    }

    pub(crate) async fn run(self) -> Result<Outcome, Refusal> {
        let done = self.desk.execute(self.request).await.map_err(refusal)?;
        Ok(Outcome {
            id: done.ticket.id,
            version: done.ticket.version.0,
            position: done.position.0,
            events: done.events,
            replayed: done.replayed,
            ticket: done.ticket.state.clone(),
        })
    }

    pub(crate) async fn ok(self) -> Outcome {
        self.run().await.unwrap()
    }

    pub(crate) async fn refused(self) -> Refusal {
        self.run().await.unwrap_err()
    }

    /// It is refused with this code.
    pub(crate) async fn then_refused(self, code: &str) {
        assert_eq!(self.refused().await.code, code);
    }
}

pub(crate) fn refusal(error: DeskError) -> Refusal {
    let code = |code: &str| Refusal { code: code.into(), ..Refusal::default() };
    match error {
        DeskError::NotFound => code("not_found"),
        DeskError::NoSuchVersion => code("no_such_version"),
        DeskError::Rejected { rejection, .. } => code(rejection.code()),
        DeskError::KeyReused => code("key_reused"),
        DeskError::OtherNotFound { .. } => code("other_not_found"),
        DeskError::SourceIdUsed { ticket } => Refusal { holder: ticket, ..code("source_id_used") },
        DeskError::PreconditionFailed { current, between, more } => Refusal {
            current: Some(current.0),
            between: between.iter().map(|entry| short(entry.event.event_type())).collect(),
            more: more.map(|version| version.0),
            ..code("precondition_failed")
        },
        DeskError::Corrupt { .. } => code("corrupt"),
        error => panic!("{error:?}"),
    }
}

pub(crate) fn short(event_type: &str) -> String {
    event_type.trim_start_matches("ticket.").into()
}

fn next(ids: &AtomicU64) -> Uuid {
    Uuid::from_u128(0x0193_5b1e_0000_7000_8000_0000_0000_0000 + u128::from(ids.fetch_add(1, Ordering::Relaxed)))
}

fn opening(number: TicketNumber) -> Open {
    Open {
        number,
        subject: "The printer is on fire".into(),
        body: "Please help.".into(),
        requester: None,
        channel: Channel::default(),
        priority: Priority::Normal,
        category: None,
        team: Some(team("hardware")),
        tags: BTreeSet::new(),
        source_id: None,
        follow_up_of: None,
    }
}

/// As the program does: with its role, which may not change what is recorded.
async fn start(url: &str) -> Desk {
    let options = Options::default().on_connect(desk::SESSION_SQL);
    let setup = options.session_sql();
    let connect = async |connections| {
        let setup = setup.clone();
        let pool = PgPoolOptions::new().max_connections(connections).after_connect(move |connection, _| {
            let setup = setup.clone();
            Box::pin(async move { connection.execute(AssertSqlSafe(setup)).await.map(drop) })
        });
        pool.connect(url).await.unwrap()
    };
    let (pool, keys) = (connect(4).await, connect(1).await);
    Desk::new(EventStore::open(pool.clone(), options), pool, Keys::new(keys, 2), Policy::default())
}

/// Waits until `found` finds something.
pub(crate) async fn eventually<T>(what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = found().await {
            return found;
        }
        assert!(Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
