use anyhow::{Context, Result};
use bench::Appender;
use disintegrate::serde::json::Json;
use disintegrate::{Event, EventStore as _, query};
use disintegrate_postgres::{Error, PgEventId, PgEventStore};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

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
        let options = PgConnectOptions::clone(&pool.connect_options()).options([("check_function_bodies", "off")]);
        let one = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
        PgEventStore::<TicketEvent, _>::try_new(one.clone(), Json::<TicketEvent>::default()).await?;
        // it writes a number as PostgreSQL 16 and newer know it; before them it is the same number in decimal
        let function = "select pg_get_functiondef('event_store_begin_epoch'::regproc)";
        let function: String = sqlx::query_scalar(function).fetch_one(&one).await?;
        sqlx::raw_sql(&function.replace("0xFFFFFFFF", "4294967295")).execute(&one).await?;
        one.close().await;
        Ok(Self(PgEventStore::new_uninitialized(pool, Json::default())))
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
