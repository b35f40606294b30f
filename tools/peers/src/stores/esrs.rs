use std::convert::Infallible;

use anyhow::Result;
use bench::Appender;
use esrs::store::EventStore as _;
use esrs::store::postgres::{PgStore, PgStoreBuilder};
use esrs::{Aggregate, AggregateState};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use uuid::Uuid;

#[derive(Clone)]
pub struct Esrs(PgStore<Ticket>);

pub struct Ticket;

#[derive(Serialize, Deserialize)]
pub struct ReplyAdded {
    message_id: Uuid,
    body: String,
}

impl Aggregate for Ticket {
    const NAME: &'static str = "ticket";
    type State = ();
    type Command = ();
    type Event = ReplyAdded;
    type Error = Infallible;

    fn handle_command((): &(), (): ()) -> Result<Vec<ReplyAdded>, Infallible> {
        Ok(Vec::new())
    }

    fn apply_event((): (), _: ReplyAdded) {}
}

impl Esrs {
    pub async fn open(pool: PgPool) -> Result<Self> {
        Ok(Self(PgStoreBuilder::new(pool).try_build().await?))
    }
}

/// Its state holds the sequence number, which is unique in the table.
pub fn stream(number: u32) -> AggregateState<()> {
    AggregateState::with_id(Uuid::from_u128(number.into()))
}

impl Appender for Esrs {
    type Stream = AggregateState<()>;

    async fn append(&self, stream: &mut Self::Stream) -> Result<()> {
        self.0.persist(stream, vec![ReplyAdded { message_id: Uuid::nil(), body: super::body() }]).await?;
        Ok(())
    }
}
