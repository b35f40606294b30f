use std::convert::Infallible;
use std::sync::Arc;

use anyhow::Result;
use bench::Appender;
use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::{PersistedEventRepository, SerializedEvent};
use cqrs_es::{Aggregate, DomainEvent};
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

/// The table of its documentation.
const TABLE: &str = "create table events (aggregate_type text not null, aggregate_id text not null,
    sequence bigint check (sequence >= 0) not null, event_type text not null, event_version text not null,
    payload json not null, metadata json not null, primary key (aggregate_type, aggregate_id, sequence))";

#[derive(Clone)]
pub struct PostgresEs(Arc<PostgresEventRepository>);

#[derive(Default, Serialize, Deserialize)]
pub struct Ticket;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplyAdded;

impl DomainEvent for ReplyAdded {
    fn event_type(&self) -> String {
        "ReplyAdded".into()
    }

    fn event_version(&self) -> String {
        "1".into()
    }
}

impl Aggregate for Ticket {
    const TYPE: &'static str = "ticket";
    type Command = ();
    type Event = ReplyAdded;
    type Error = Infallible;
    type Services = ();

    async fn handle(&mut self, (): (), (): &(), _: &EventSink<Self>) -> Result<(), Infallible> {
        Ok(())
    }

    fn apply(&mut self, _: ReplyAdded) {}
}

impl PostgresEs {
    pub async fn open(pool: PgPool) -> Result<Self> {
        sqlx::query(TABLE).execute(&pool).await?;
        Ok(Self(Arc::new(PostgresEventRepository::new(pool))))
    }
}

/// The id and the last sequence number: the next one is part of the primary key.
pub fn stream(number: u32) -> (String, usize) {
    (Uuid::from_u128(number.into()).to_string(), 0)
}

impl Appender for PostgresEs {
    type Stream = (String, usize);

    /// The repository alone. The framework above it would read the whole stream before each command.
    async fn append(&self, (id, sequence): &mut Self::Stream) -> Result<()> {
        let event = SerializedEvent::new(
            id.clone(),
            *sequence + 1,
            Ticket::TYPE.into(),
            "ReplyAdded".into(),
            "1".into(),
            json!({"message_id": Uuid::nil(), "body": super::body()}),
            json!({}),
        );
        self.0.persist::<Ticket>(&[event], None).await?;
        *sequence += 1;
        Ok(())
    }
}
