//! Two kinds of records: accounts, which never fall below zero, and audits that are held once for an account.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use devstack::testing::TestDatabase;
use eventsourcing::{Committed, Envelope, ExecuteError, Executor, Idempotency, Records, UnitOfWork, UseCase};
use eventstore::{CommandId, EventStore, Options, StreamId};
use serde::{Deserialize, Serialize};
use shared_kernel::{Aggregate, DomainEvent, EventType, Stamp, uuid_id};
use sqlx::PgPool;
use uuid::Uuid;

uuid_id! {
    /// An account.
    AccountId;
    /// An audit.
    AuditId;
}

#[derive(Debug)]
pub(crate) struct Account;

#[derive(Debug)]
pub(crate) struct Audit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Booked {
    #[serde(rename = "account.booked")]
    Booked { amount: i64 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Held {
    #[serde(rename = "audit.held")]
    Held { balance: i64 },
}

/// Add to the balance, or take from it; of zero nothing is recorded.
#[derive(Debug)]
pub(crate) struct Book(pub(crate) i64);

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("the balance would be {balance}")]
pub(crate) struct Overdrawn {
    pub(crate) balance: i64,
}

impl DomainEvent for Booked {
    const TYPES: &'static [EventType] = &[EventType::new("account.booked")];

    fn event_type(&self) -> &'static str {
        "account.booked"
    }
}

impl DomainEvent for Held {
    const TYPES: &'static [EventType] = &[EventType::new("audit.held")];

    fn event_type(&self) -> &'static str {
        "audit.held"
    }
}

impl Aggregate for Account {
    const TYPE: &'static str = "account";
    const STATE_SCHEMA: i16 = 1;
    type Id = AccountId;
    type State = i64;
    type Command = Book;
    type Event = Booked;
    type Context = ();
    type Rejection = Overdrawn;

    fn decide(balance: Option<&i64>, Book(amount): &Book, (): &()) -> Result<Vec<Booked>, Overdrawn> {
        let balance = balance.copied().unwrap_or(0) + amount;
        match amount {
            _ if balance < 0 => Err(Overdrawn { balance }),
            0 => Ok(Vec::new()),
            _ => Ok(vec![Booked::Booked { amount: *amount }]),
        }
    }

    fn evolve(balance: Option<i64>, Booked::Booked { amount }: &Booked, _: &Stamp) -> Option<i64> {
        Some(balance.unwrap_or(0) + amount)
    }
}

impl Aggregate for Audit {
    const TYPE: &'static str = "audit";
    const STATE_SCHEMA: i16 = 1;
    type Id = AuditId;
    type State = i64;
    type Command = i64;
    type Event = Held;
    type Context = ();
    type Rejection = Overdrawn;

    fn decide(_: Option<&i64>, balance: &i64, (): &()) -> Result<Vec<Held>, Overdrawn> {
        Ok(vec![Held::Held { balance: *balance }])
    }

    fn evolve(_: Option<i64>, Held::Held { balance }: &Held, _: &Stamp) -> Option<i64> {
        Some(*balance)
    }
}

/// A process: an executor, and what it remembers.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) executor: Executor,
    pub(crate) accounts: Records<Account>,
    pub(crate) audits: Records<Audit>,
    pub(crate) store: EventStore,
}

impl Process {
    pub(crate) async fn on(database: &TestDatabase) -> Self {
        let pool = PgPool::connect(database.url()).await.unwrap();
        let store = EventStore::open(pool, Options::default());
        let (accounts, audits) = (Records::new(store.clone(), 1 << 20), Records::new(store.clone(), 1 << 20));
        Self { executor: Executor::new(store.clone()), accounts, audits, store }
    }

    /// Books on several accounts, all or none.
    pub(crate) async fn book(&self, amounts: &[(AccountId, i64)]) -> Result<Committed<Account>, Refused> {
        self.book_at(DateTime::UNIX_EPOCH, amounts).await
    }

    pub(crate) async fn book_at(
        &self,
        now: DateTime<Utc>,
        amounts: &[(AccountId, i64)],
    ) -> Result<Committed<Account>, Refused> {
        let mut booking = Booking { process: self, amounts, decided: Arc::default() };
        self.executor.execute(&mut booking, &Envelope { now, ..Envelope::default() }).await
    }

    /// The same with an idempotency key.
    pub(crate) async fn book_once(
        &self,
        key: &str,
        amounts: &[(AccountId, i64)],
    ) -> Result<Committed<Account>, Refused> {
        let fingerprint = format!("{amounts:?}").into_bytes();
        let key = Idempotency { scope: "tests".into(), key: key.into(), fingerprint, status: 200, permanent: false };
        let mut booking = Booking { process: self, amounts, decided: Arc::default() };
        self.executor.execute(&mut booking, &Envelope { idempotency: Some(key), ..Envelope::default() }).await
    }

    pub(crate) async fn balance(&self, account: AccountId) -> Option<i64> {
        self.accounts.current(account).await.unwrap().map(|record| record.state)
    }
}

pub(crate) async fn database() -> TestDatabase {
    let template = format!("eventsourcing_{}_{}", eventstore::schema_digest(), eventsourcing::schema_digest());
    TestDatabase::create(&template, |url| async move {
        let pool = PgPool::connect(&url).await?;
        eventstore::migrate(&pool).await?;
        eventsourcing::MIGRATOR.run(&pool).await?;
        pool.close().await;
        Ok(())
    })
    .await
}

pub(crate) fn account(n: u128) -> AccountId {
    AccountId(Uuid::from_u128(n))
}

#[derive(Debug)]
pub(crate) enum Refused {
    Execute(ExecuteError),
    Overdrawn(Overdrawn),
}

impl From<ExecuteError> for Refused {
    fn from(error: ExecuteError) -> Self {
        Self::Execute(error)
    }
}

pub(crate) fn command_id() -> CommandId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    CommandId(Uuid::from_u128(u128::from(NEXT.fetch_add(1, Ordering::Relaxed))))
}

pub(crate) struct Booking<'a> {
    pub(crate) process: &'a Process,
    pub(crate) amounts: &'a [(AccountId, i64)],
    /// How often it was decided.
    pub(crate) decided: Arc<AtomicU64>,
}

impl UseCase for Booking<'_> {
    type Primary = Account;
    type Error = Refused;

    fn records(&self) -> &Records<Account> {
        &self.process.accounts
    }

    fn primary(&self) -> AccountId {
        self.amounts[0].0
    }

    fn command_id(&mut self) -> CommandId {
        command_id()
    }

    async fn decide(&mut self, unit: &mut UnitOfWork) -> Result<(), Refused> {
        self.decided.fetch_add(1, Ordering::Relaxed);
        for (id, amount) in self.amounts {
            let account = unit.stage(&self.process.accounts, *id).await?;
            unit.decide(account, &Book(*amount), &()).map_err(Refused::Overdrawn)?;
        }
        Ok(())
    }
}

/// Records an account's balance, which must still hold when that is recorded; takes a number that must be unique.
pub(crate) struct HoldAudit<'a> {
    pub(crate) process: &'a Process,
    pub(crate) id: AuditId,
    pub(crate) account: AccountId,
    pub(crate) number: u64,
    /// Whether it records nothing, and takes its number all the same.
    pub(crate) silent: bool,
}

impl UseCase for HoldAudit<'_> {
    type Primary = Audit;
    type Error = ExecuteError;

    fn records(&self) -> &Records<Audit> {
        &self.process.audits
    }

    fn primary(&self) -> AuditId {
        self.id
    }

    fn command_id(&mut self) -> CommandId {
        command_id()
    }

    async fn decide(&mut self, unit: &mut UnitOfWork) -> Result<(), ExecuteError> {
        let audit = unit.create(&self.process.audits, self.id).await?;
        let account = unit.stage(&self.process.accounts, self.account).await?;
        unit.demand(account);
        let balance = unit.state(account).copied().unwrap_or(0);
        if !self.silent {
            unit.decide(audit, &balance, &()).unwrap();
        }
        unit.take_alias("audit", self.number.to_string(), audit);
        Ok(())
    }

    async fn alias_taken(&mut self, _: String, _: StreamId) -> Result<(), ExecuteError> {
        self.number += 1;
        Ok(())
    }
}
