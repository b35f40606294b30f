//! Writes the tables of `tickets`.

use std::sync::Arc;

use eventstore::StreamId;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use ticket_aggregate::Ticket;

use super::changes::{ChangedTickets, TicketRows};
use super::columns::{Recency, StoredTicket, TextWords, TextsWords, read_ticket};
use crate::cache::Cache;
use crate::generation::Generation;
use crate::read_model::{ApplyError, Changes, DecodedEvent, Writer};
use crate::table::Columns;

/// The number of folded tickets that a writer caches.
const CACHED: usize = 20_000;

pub(super) struct TicketsWriter {
    cache: Cache<Ticket>,
    sql: Arc<Sql>,
}

/// The statements. Rows that are known to be new are inserted without `on conflict`, at half the cost.
struct Sql {
    load: String,
    tickets: Write,
    recency: Write,
    words: Write,
}

struct Write {
    insert: String,
    upsert: String,
}

impl Write {
    fn of(columns: Columns, generation: Generation) -> Self {
        Self { insert: columns.insert(&columns.table(generation)), upsert: columns.upsert(generation) }
    }
}

impl Sql {
    fn of(generation: Generation) -> Self {
        let tickets = StoredTicket::COLUMNS.table(generation);
        Self {
            load: format!("select id, ticket from {tickets} where id = any($1)"),
            tickets: Write::of(StoredTicket::COLUMNS, generation),
            recency: Write::of(Recency::COLUMNS, generation),
            words: Write::of(TextWords::COLUMNS, generation),
        }
    }
}

impl Writer for TicketsWriter {
    fn load<'a>(
        &'a mut self,
        connection: &'a mut PgConnection,
        events: &'a [DecodedEvent],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        self.load_missing(connection, events).boxed()
    }

    fn is_loaded(&self, events: &[DecodedEvent]) -> bool {
        self.cache.missing(events).is_empty()
    }

    fn fold(&mut self, events: &[DecodedEvent]) -> Result<Box<dyn Changes>, ApplyError> {
        let mut changed = ChangedTickets::default();
        for event in events {
            let known = self.cache.take(event.stream);
            self.cache.put(event.stream, changed.fold(known, event)?);
        }
        let tickets = changed.tickets(&self.cache);
        self.cache.shrink();
        Ok(Box::new(Rows { sql: self.sql.clone(), tickets, words: changed.words() }))
    }

    fn invalidate(&mut self) {
        self.cache.clear();
    }
}

impl TicketsWriter {
    pub(super) fn of(generation: Generation) -> Self {
        Self { cache: Cache::new(CACHED), sql: Arc::new(Sql::of(generation)) }
    }

    async fn load_missing(&mut self, connection: &mut PgConnection, events: &[DecodedEvent]) -> Result<(), ApplyError> {
        let missing = self.cache.missing(events);
        if missing.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(AssertSqlSafe(self.sql.load.clone())).bind(&missing).fetch_all(connection).await?;
        for row in rows {
            let id = row.try_get(0)?;
            let ticket = read_ticket(id, row.try_get(1)?).map_err(ApplyError::UnreadableRow)?;
            self.cache.put(StreamId(id), ticket);
        }
        Ok(())
    }
}

/// The rows that a batch changes: to be inserted, and to be updated.
struct Rows {
    sql: Arc<Sql>,
    tickets: (TicketRows, TicketRows),
    words: (TextsWords, TextsWords),
}

impl Changes for Rows {
    fn write(self: Box<Self>, connection: &mut PgConnection) -> BoxFuture<'_, Result<(), ApplyError>> {
        async move {
            let Self { sql, tickets: (opened, changed), words: (new, subjects) } = *self;
            opened.recency.execute(&sql.recency.insert, connection).await?;
            opened.tickets.execute(&sql.tickets.insert, connection).await?;
            changed.recency.execute(&sql.recency.upsert, connection).await?;
            changed.tickets.execute(&sql.tickets.upsert, connection).await?;
            new.execute(&sql.words.insert, connection).await?;
            Ok(subjects.execute(&sql.words.upsert, connection).await?)
        }
        .boxed()
    }
}
