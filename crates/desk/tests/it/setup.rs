//! The databases of the tests: cloned from templates, of which one has the people, agents and teams of `cast`.

use std::collections::VecDeque;

use desk::{Call, Desk, Keys, NewAgent, Policy};
use devstack::testing::TestDatabase;
use eventstore::{EventStore, Options};
use person_aggregate::IdentityValue;
use settings_aggregate::{SettingName, TeamDocument};
use shared_kernel::testing::{agent, person, team};
use shared_kernel::{Handle, Principal};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Executor, PgPool};
use uuid::Uuid;

use crate::cast::{AGENTS, REQUESTERS, TEAMS, email, hour, system, teams_of};

/// How many events the setup records.
pub(crate) const SETUP_EVENTS: i64 = 22;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One with everybody. What is in it follows from the schema, from this file and from `cast`.
pub(crate) async fn database() -> TestDatabase {
    let sources = concat!(include_str!("setup.rs"), include_str!("cast.rs"));
    let template = format!("desk_{}_{:08x}", desk::schema_digest(), crc32fast::hash(sources.as_bytes()));
    TestDatabase::create(&template, |url| async move {
        migrate(&url).await?;
        populate(&url).await?;
        Ok(())
    })
    .await
}

/// One with nobody.
pub(crate) async fn empty_database() -> TestDatabase {
    let template = format!("desk_{}", desk::schema_digest());
    TestDatabase::create(&template, |url| async move { migrate(&url).await }).await
}

async fn migrate(url: &str) -> Result<(), Failure> {
    let pool = PgPool::connect(url).await?;
    desk::migrate(&pool).await?;
    pool.close().await;
    Ok(())
}

async fn populate(url: &str) -> Result<(), Failure> {
    let desk = start(url, Policy::default()).await;
    for name in TEAMS {
        let call = call(system(), [team(name).0]);
        desk.create_team(handle(name), SettingName::parse(name)?, TeamDocument::default(), call).await?;
    }
    for name in REQUESTERS {
        register_person(&desk, name).await?;
    }
    for (name, teams) in AGENTS {
        register_agent(&desk, name, teams, None).await?;
    }
    assert_eq!(desk.store().head().await?.0, SETUP_EVENTS);
    desk.store().close().await;
    Ok(())
}

/// Registers the person of that name, with an address.
pub(crate) async fn register_person(desk: &Desk, name: &str) -> Result<(), desk::DeskError> {
    let identities = vec![IdentityValue::Email(email(name))];
    desk.register_person(person(name), None, identities, call(system(), [])).await.map(drop)
}

/// Registers the agent of that name, and the person that they are.
pub(crate) async fn register_agent(
    desk: &Desk,
    name: &str,
    teams: &[&str],
    capacity: Option<u32>,
) -> Result<(), desk::DeskError> {
    let teams = teams_of(teams).into_iter().collect();
    let new = NewAgent { email: Some(email(name)), capacity, teams, ..NewAgent::named(handle(name)) };
    desk.register_agent(new, call(system(), [agent(name).0, person(name).0])).await.map(drop)
}

pub(crate) fn handle(name: &str) -> Handle {
    Handle::parse(name).unwrap()
}

/// A call that gives these ids first, and random ones afterwards.
pub(crate) fn call(caller: Principal, ids: impl Into<VecDeque<Uuid>>) -> Call {
    let mut ids = ids.into();
    Call::new(caller, hour(0), move || ids.pop_front().unwrap_or_else(|| Uuid::from_u128(rand::random())))
}

/// As the program does: with its role, which may not change what is recorded.
pub(crate) async fn start(url: &str, policy: Policy) -> Desk {
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
    let store = EventStore::open(pool.clone(), options);
    let keys = Keys::new(&store, keys, 2);
    Desk::new(store, pool, keys, policy)
}
