//! What the tests share: a server of the API on a database of its own, and keys to it.

use shared_kernel::{Actor, AgentId, EmailAddress, Handle, PersonId, Principal, Role, TeamId};
use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use agent_aggregate::Agent;
use api::App;
use chrono::{DateTime, Utc};
use desk::{AsOf, Call, Desk, Keys, MintedKey, NewAgent, NewKey, Policy, Scope};
use devstack::testing::TestDatabase;
use eventstore::{EventStore, Options};
use projections::Projections;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Executor, PgPool};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use uuid::Uuid;

use crate::client::Client;

/// One process of the API.
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) desk: Desk,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<std::io::Result<()>>,
    /// End with it.
    _projectors: JoinSet<()>,
}

/// A server and its database. (In this order: the database goes last.)
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) database: TestDatabase,
}

#[expect(clippy::disallowed_methods, reason = "the edge of the tests")]
pub(crate) fn now() -> DateTime<Utc> {
    let now = Utc::now();
    // what the database keeps
    DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the edge of the tests")]
pub(crate) fn new_id() -> Uuid {
    Uuid::now_v7()
}

pub(crate) fn config() -> api::Config {
    api::Config {
        source: "urn:uuid:00000000-0000-0000-0000-000000000001".into(),
        public_url: None,
        limits: api::Limits::default(),
        now,
        new_id,
        metrics: Box::new(|| "# TYPE things counter\n".into()),
        detail: Box::new(|| serde_json::json!({})),
        request_timeout: api::REQUEST_TIMEOUT,
        body_timeout: api::BODY_TIMEOUT,
        operations_only: false,
    }
}

async fn migrated(url: String) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let pool = PgPool::connect(&url).await?;
    desk::migrate(&pool).await?;
    projections::MIGRATOR.run(&pool).await?;
    pool.close().await;
    Ok(())
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(config(), Policy::default()).await
    }

    pub(crate) async fn with(config: api::Config, policy: Policy) -> Self {
        let database =
            TestDatabase::create(&format!("desk_{}_{}", desk::schema_digest(), projections::schema_digest()), migrated)
                .await;
        Self { server: Server::start(database.url(), config, policy).await, database }
    }

    /// Another process over the same database: one that stands beside the first, or comes after it.
    pub(crate) async fn another(&self) -> Server {
        self.another_with(config()).await
    }

    pub(crate) async fn another_with(&self, config: api::Config) -> Server {
        Server::start(self.database.url(), config, Policy::default()).await
    }

    /// A world with a server of these bounds.
    pub(crate) async fn within(limits: api::Limits) -> Self {
        Self::with(api::Config { limits, ..config() }, Policy::default()).await
    }

    pub(crate) fn anyone(&self) -> Client {
        self.server.client(None)
    }

    pub(crate) async fn admin(&self) -> Client {
        self.staff(Role::Admin, "root", &[]).await
    }

    pub(crate) async fn agent(&self, name: &str, teams: &[&str]) -> Client {
        self.staff(Role::Agent, name, teams).await
    }

    pub(crate) async fn staff(&self, role: Role, name: &str, teams: &[&str]) -> Client {
        let agent = self.agent_id(name, teams).await;
        self.client_with(NewKey::staff(role, agent)).await
    }

    pub(crate) async fn requester(&self, email: &str) -> Client {
        let person = self.person(email).await;
        self.client_with(NewKey::requester(person)).await
    }

    /// A lead whose key acts for others: a product's server.
    pub(crate) async fn product(&self) -> Client {
        let agent = self.agent_id("product", &[]).await;
        self.client_with(NewKey { scopes: vec![Scope::ActForOthers], ..NewKey::staff(Role::Lead, agent) }).await
    }

    pub(crate) async fn client_with(&self, key: NewKey) -> Client {
        self.server.client(Some(self.mint(key).await.token))
    }

    pub(crate) async fn mint(&self, key: NewKey) -> MintedKey {
        self.server.desk.keys().create(key, call()).await.unwrap()
    }

    /// The position of the last event: of what was set up.
    pub(crate) async fn head(&self) -> i64 {
        self.server.desk.store().head().await.unwrap().0
    }

    /// The team with that handle.
    pub(crate) async fn team(&self, handle: &str) -> TeamId {
        self.server.desk.ensure_team(&Handle::parse(handle).unwrap(), call()).await.unwrap()
    }

    pub(crate) async fn teams(&self, handles: &[&str]) {
        for handle in handles {
            self.team(handle).await;
        }
    }

    /// The agent with that handle, who is in these teams.
    pub(crate) async fn agent_id(&self, handle: &str, teams: &[&str]) -> AgentId {
        let mut agent = NewAgent::named(Handle::parse(handle).unwrap());
        for team in teams {
            agent.teams.push(self.team(team).await);
        }
        self.server.desk.ensure_agent(agent, call).await.unwrap()
    }

    pub(crate) async fn agents(&self, handles: &[&str]) {
        for handle in handles {
            self.agent_id(handle, &[]).await;
        }
    }

    /// Whom the document's examples name.
    pub(crate) async fn examples(&self) {
        self.teams(&["facilities"]).await;
        self.agents(&["ada"]).await;
        self.person("grace@example.com").await;
    }

    /// The person that an agent is.
    pub(crate) async fn person_of(&self, handle: &str) -> PersonId {
        let id = self.agent_id(handle, &[]).await;
        self.server.desk.record::<Agent>(id, AsOf::Now).await.unwrap().state.person
    }

    /// The person with that address.
    pub(crate) async fn person(&self, email: &str) -> PersonId {
        self.server.desk.ensure_person(&EmailAddress::parse(email).unwrap(), None, call()).await.unwrap()
    }
}

/// A route's path, of this ticket; of other records, those that are nowhere.
pub(crate) fn path_of(path: &str, ticket: &str) -> String {
    path.replace("/v1/tickets/{id}", ticket)
        .replace("{id}", "01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11")
        .replace("{identity}", "1")
        .replace("{code}", "not_found")
        .replace("{name}", "tickets")
        .replace("{number}", "1")
}

/// A call of the tests' own.
pub(crate) fn call() -> Call {
    Call::new(Principal::new(Actor::system("tests")), now(), new_id)
}

impl Server {
    async fn start(url: &str, config: api::Config, policy: Policy) -> Self {
        let options = Options::default().on_connect(desk::SESSION_SQL);
        let setup = options.session_sql();
        // as the program does: with its role, which may not change what is recorded; and whoever waits for the log takes no
        // connection from read models and keys
        let connect = async |connections| {
            let setup = setup.clone();
            let pool = PgPoolOptions::new().max_connections(connections).after_connect(move |connection, _| {
                let setup = setup.clone();
                Box::pin(async move { connection.execute(sqlx::AssertSqlSafe(setup)).await.map(drop) })
            });
            pool.connect(url).await.unwrap()
        };
        let (pool, of_read_models, of_keys) = (connect(4).await, connect(3).await, connect(1).await);
        let store = EventStore::open(pool.clone(), options);
        let projections = Projections::new(store.clone(), of_read_models);
        let read_models = projections.reader();
        let mut projectors = JoinSet::new();
        projectors.spawn(projections.run(std::future::pending()));
        let keys = Keys::new(&store, of_keys, 2);
        let desk = Desk::new(store, pool, keys, policy);
        let app = App::new(desk.clone(), read_models, config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(api::serve(listener, app.clone(), async move {
            stopped.await.ok();
        }));
        Self { app, desk, address, stop: Some(stop), served, _projectors: projectors }
    }

    pub(crate) fn client(&self, token: Option<String>) -> Client {
        Client::new(format!("http://{}", self.address), token)
    }

    /// Tells it to end, and goes on at once.
    pub(crate) fn tell_to_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Ends it in order.
    pub(crate) async fn stopped(mut self) {
        self.tell_to_stop();
        self.served.await.unwrap().unwrap();
        self.desk.store().close().await;
    }
}

/// Waits until `found` finds something.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut found: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = found().await {
            return found;
        }
        assert!(Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
