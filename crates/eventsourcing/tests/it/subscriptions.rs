//! The subscription runtime with a handler of the tests' own: the sum of all bookings, in a table.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use devstack::testing::TestDatabase;
use eventsourcing::codec;
use eventsourcing::subscription::{
    self, Action, ApplyError, Backoff, Content, Handler, LogEvent, Outcome, Session, SessionError,
};
use eventstore::{EventStore, Lead, Position, RecordedEvent, StreamId};
use sqlx::{PgConnection, PgPool};
use tokio::task::JoinSet;

use crate::accounts::{Booked, Process, account, database};

/// A booking that can't be added.
const POISON: i64 = 13;

#[derive(Clone)]
struct Booking {
    position: Position,
    stream: StreamId,
    amount: i64,
}

impl LogEvent for Booking {
    fn stream(&self) -> StreamId {
        self.stream
    }

    fn position(&self) -> Position {
        self.position
    }
}

/// Adds up bookings, and refuses [`POISON`] unless told otherwise.
struct Sum {
    takes_poison: bool,
}

impl Handler for Sum {
    type Event = Booking;
    type Error = std::convert::Infallible;

    fn name(&self) -> &'static str {
        "sum"
    }

    fn decode(&self, event: &RecordedEvent) -> Content<Booking> {
        match codec::decode(event) {
            Ok(Booked::Booked { amount }) => {
                Content::Decoded(Booking { position: event.position, stream: event.stream_id, amount })
            }
            Err(error) => Content::Undecodable(error.to_string()),
        }
    }

    async fn claim(&self, _: &mut PgConnection) -> Result<(), SessionError<Self::Error>> {
        Ok(())
    }

    async fn apply(
        &mut self,
        connection: &mut PgConnection,
        events: &[Booking],
    ) -> Result<(), ApplyError<Self::Error>> {
        for event in events {
            if event.amount == POISON && !self.takes_poison {
                return Err(ApplyError::NotApplicable { position: event.position, reason: "bad luck".to_owned() });
            }
            sqlx::query("update sums set sum = sum + $1").bind(event.amount).execute(&mut *connection).await?;
        }
        Ok(())
    }
}

async fn follow(store: EventStore, lead: Lead, backoff: Backoff, takes_poison: bool) -> String {
    let mut session = Session::open(&store, lead, "sum", Sum { takes_poison }).await.unwrap();
    let error = session.run(&backoff).await.unwrap_err();
    error.to_string()
}

async fn world() -> (TestDatabase, PgPool, Process) {
    let database = database().await;
    let pool = PgPool::connect(database.url()).await.unwrap();
    sqlx::raw_sql("create table sums as select 0::bigint as sum").execute(&pool).await.unwrap();
    let process = Process::on(&database).await;
    (database, pool, process)
}

fn leader(process: &Process, takes_poison: bool) -> JoinSet<()> {
    let store = process.store.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let job = |lead, backoff| follow(store.clone(), lead, backoff, takes_poison);
        subscription::lead(&store, "subscription sum", job).await;
    });
    tasks
}

async fn becomes(pool: &PgPool, sum: i64) {
    let reached = async {
        while sqlx::query_scalar::<_, i64>("select sum from sums").fetch_one(pool).await.unwrap() != sum {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reached).await.expect("in time");
}

#[tokio::test]
async fn poisoned_event_parks_its_stream_until_it_is_repaired() {
    let (_database, pool, process) = world().await;
    for amount in [1, POISON, 2] {
        process.book(&[(account(1), amount)]).await.unwrap();
        process.book(&[(account(2), 10)]).await.unwrap();
    }
    let leading = leader(&process, false);
    becomes(&pool, 31).await;
    let parked = subscription::parked(&pool, "sum").await.unwrap();
    let parked: Vec<_> = parked.values().map(|it| (it.stream.0, it.version.0, it.error.as_str())).collect();
    assert_eq!(parked, [(account(1).0, 2, "bad luck")]);
    drop(leading);

    let _leading = leader(&process, true);
    let stream = StreamId(account(1).0);
    let request = subscription::ask(&pool, "sum", stream, &Action::Retry, "me").await.unwrap();
    becomes(&pool, 31 + POISON + 2).await;
    let outcome = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            if let Some(outcome) = subscription::outcome(&pool, request).await.unwrap() {
                break outcome;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let outcome = outcome.await.expect("in time");
    assert_eq!(outcome, Outcome { healed: true, text: "goes on: 2 events were applied".to_owned() });
    assert!(subscription::parked(&pool, "sum").await.unwrap().is_empty());
}

#[tokio::test]
async fn leader_that_panics_leads_again() {
    let (_database, pool, process) = world().await;
    process.book(&[(account(1), 5)]).await.unwrap();
    let (store, lives) = (process.store.clone(), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    let counted = lives.clone();
    tasks.spawn(async move {
        let job = |lead, backoff| {
            let (store, life) = (store.clone(), counted.fetch_add(1, Ordering::SeqCst));
            async move {
                assert!(life > 1, "one of the first two lives");
                follow(store, lead, backoff, false).await
            }
        };
        subscription::lead(&store, "subscription sum", job).await;
    });
    becomes(&pool, 5).await;
    assert_eq!(lives.load(Ordering::SeqCst), 3);
}
