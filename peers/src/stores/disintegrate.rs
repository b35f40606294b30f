use anyhow::{Context, Result};
use bench::Appender;
use disintegrate::serde::json::Json;
use disintegrate::{Event, EventStore as _, query};
use disintegrate_postgres::{Error, PgEventId, PgEventStore};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

#[derive(Clone)]
pub struct Disintegrate(PgEventStore<TicketEvent, Json<TicketEvent>>);

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub enum TicketEvent {
    ReplyAdded {
        #[id]
        ticket_id: String,
        body: String,
    },
}

impl Disintegrate {
    pub async fn open(pool: PgPool) -> Result<Self> {
        Ok(Self(PgEventStore::try_new(pool, Json::default()).await?))
    }
}

/// The id and the last event's.
pub fn stream(number: u32) -> (String, PgEventId) {
    (format!("{number:032x}"), 0)
}

impl Appender for Disintegrate {
    type Stream = (String, PgEventId);

    /// A serialization failure, which is common even though no two writers share a stream, is tried again.
    async fn append(&self, (id, last): &mut Self::Stream) -> Result<()> {
        loop {
            let event = TicketEvent::ReplyAdded { ticket_id: id.clone(), body: super::body() };
            let stream = query!(TicketEvent; ticket_id == id.clone());
            match self.0.append(vec![event], stream, *last).await {
                Ok(events) => {
                    *last = events.first().context("an event")?.id();
                    return Ok(());
                }
                Err(error) if is_conflict(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn is_conflict(error: &Error) -> bool {
    match error {
        Error::Concurrency => true,
        Error::Database(sqlx::Error::Database(error)) => matches!(error.code().as_deref(), Some("40001" | "40P01")),
        _ => false,
    }
}
