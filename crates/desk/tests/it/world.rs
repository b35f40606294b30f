//! A desk on a database of its own. Whatever depends on the desk's types stands here and in `when`, so that the tests state
//! behaviour and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use desk::{AuditReport, Call, Desk, Policy, Request, TicketCommand};
use devstack::testing::TestDatabase;
use eventstore::{Position, RecordedEvent, StreamId, StreamRange};
use shared_kernel::testing::{agent, person, team};
use shared_kernel::{Principal, Role};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Executor, PgPool, Postgres, Transaction};
use ticket_aggregate::{Channel, Command, Open, Priority, TicketId, TicketNumber};
use uuid::Uuid;

use crate::cast::{hour, lea, system};
use crate::setup::{self, SETUP_EVENTS};
use crate::when::When;

/// The database comes last: fields are dropped in order.
pub(crate) struct World {
    pub(crate) desk: Desk,
    /// Connections of the tables' owner, to look at tables and to tamper with them.
    pub(crate) owner: PgPool,
    ids: Arc<AtomicU64>,
    database: TestDatabase,
}

impl World {
    /// With the people, agents and teams of `cast`.
    pub(crate) async fn new() -> Self {
        Self::on(setup::database().await).await
    }

    /// With nobody.
    pub(crate) async fn empty() -> Self {
        Self::on(setup::empty_database().await).await
    }

    async fn on(database: TestDatabase) -> Self {
        let owner = PgPoolOptions::new().max_connections(2).connect(database.url()).await.unwrap();
        Self {
            desk: setup::start(database.url(), Policy::default()).await,
            owner,
            ids: Arc::new(AtomicU64::new(1)),
            database,
        }
    }

    /// Another process on the same database, with a cache of its own.
    pub(crate) async fn another(&self) -> Desk {
        setup::start(self.database.url(), Policy::default()).await
    }

    pub(crate) fn new_id(&self) -> TicketId {
        TicketId(next(&self.ids))
    }

    /// A call at hour 0.
    pub(crate) fn call(&self, caller: Principal) -> Call {
        let ids = self.ids.clone();
        Call::new(caller, hour(0), move || next(&ids))
    }

    pub(crate) fn when(&self, caller: Principal, ticket: TicketId, command: impl Into<TicketCommand>) -> When<'_> {
        self.when_all(caller, ticket, vec![command])
    }

    pub(crate) fn when_all<C: Into<TicketCommand>>(
        &self,
        caller: Principal,
        ticket: TicketId,
        commands: Vec<C>,
    ) -> When<'_> {
        let request = Request::new(ticket, commands, self.call(caller));
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
        self.opening(lea(), |open| open.requester = Some(person("rita"))).await.ok().await.id
    }

    pub(crate) async fn recorded(&self, ticket: TicketId) -> Vec<RecordedEvent> {
        self.desk.store().read_stream(StreamId(ticket.0), StreamRange::default()).await.unwrap()
    }

    /// The types of a ticket's events, without the prefix `ticket.`.
    pub(crate) async fn events(&self, ticket: TicketId) -> Vec<String> {
        self.recorded(ticket).await.iter().map(|event| short(&event.event_type)).collect()
    }

    /// How many events came after the setup.
    pub(crate) async fn head(&self) -> i64 {
        since_setup(self.desk.store().head().await.unwrap())
    }

    pub(crate) async fn verify(&self) -> AuditReport {
        self.desk.verify(|_| {}).await.unwrap()
    }

    /// Changes an agent's record.
    pub(crate) async fn change_agent(&self, name: &str, command: agent_aggregate::Command) {
        let call = self.call(system());
        self.desk.change::<agent_aggregate::Agent>(agent(name), vec![command], call).await.unwrap();
    }

    /// An agent's record as it is in the log.
    pub(crate) async fn agent(&self, name: &str) -> agent_aggregate::Agent {
        let record = self.desk.record::<agent_aggregate::Agent>(agent(name), desk::AsOf::Now).await.unwrap();
        record.state.clone()
    }

    /// Runs SQL as the tables' owner, past the triggers that keep the log as it is. `#2` is the second position after the
    /// setup.
    pub(crate) async fn tamper(&self, sql: &str) {
        let mut parts = sql.split('#');
        let mut sql = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            let position: i64 = part[..digits].parse().unwrap();
            sql = format!("{sql}{}{}", position + SETUP_EVENTS, &part[digits..]);
        }
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

/// A position as tests count it.
pub(crate) fn since_setup(position: Position) -> i64 {
    position.0 - SETUP_EVENTS
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
