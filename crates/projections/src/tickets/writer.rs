//! Writes the tables of `tickets`.

use std::sync::Arc;

use eventstore::StreamId;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use ticket_aggregate::Ticket;

use super::rows::{ChangedTickets, TicketColumns, WordColumns, read_ticket};
use crate::cache::Cache;
use crate::generation::Generation;
use crate::read_model::{ApplyError, Changes, DecodedEvent, Writer};

/// The number of folded tickets that a writer caches.
const CACHED: usize = 20_000;

pub(super) struct TicketsWriter {
    cache: Cache<Ticket>,
    sql: Arc<Sql>,
}

/// The statements. Updates use `on conflict`, which always goes by the index, whatever statistics a growing table has. Rows
/// that are known to be new are inserted without it, at half the cost.
struct Sql {
    load: String,
    rows: Upsert,
    recency: Upsert,
    words: Upsert,
}

struct Upsert {
    insert: String,
    upsert: String,
}

impl Upsert {
    fn of(insert: String, constraint: &str, changing: &str) -> Self {
        let set = changing.split(", ").map(|c| format!("{c} = excluded.{c}")).collect::<Vec<_>>().join(", ");
        Self { upsert: format!("{insert} on conflict on constraint {constraint} do update set {set}"), insert }
    }
}

impl Sql {
    fn of(generation: Generation) -> Self {
        let constant = "id, number, created_at";
        let changing =
            "requester, priority, team, category, assignee, followers, tags, status, version, position, ticket";
        let rows = format!(
            "insert into read_models.tickets_{generation} ({constant}, {changing})
             select {constant}, requester, priority, team, category, assignee, followers::uuid[], tags::text[], status,
                    version, position, ticket
               from unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::uuid[], $5::smallint[], $6::uuid[],
                           $7::text[], $8::uuid[], $9::text[], $10::text[], $11::text[], $12::bigint[],
                           $13::bigint[], $14::text[])
                 as r ({constant}, {changing})"
        );
        let recency = format!(
            "insert into read_models.tickets_recency_{generation} (ticket_id, updated_at, public_updated_at)
             select * from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])"
        );
        let words = format!(
            "insert into read_models.tickets_words_{generation} (ticket_id, entry, public, words)
             select * from unnest($1::uuid[], $2::bigint[], $3::boolean[], $4::tsvector[])"
        );
        let key = |table: &str| format!("{table}_{generation}_pkey");
        Self {
            load: format!("select id, ticket from read_models.tickets_{generation} where id = any($1)"),
            rows: Upsert::of(rows, &key("tickets"), changing),
            recency: Upsert::of(recency, &key("tickets_recency"), "updated_at, public_updated_at"),
            words: Upsert::of(words, &key("tickets_words"), "words"),
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
        let tickets = changed.columns(&self.cache);
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
    tickets: (TicketColumns, TicketColumns),
    words: (WordColumns, WordColumns),
}

impl Changes for Rows {
    fn write(self: Box<Self>, connection: &mut PgConnection) -> BoxFuture<'_, Result<(), ApplyError>> {
        async move {
            let Self { sql, tickets: (opened, changed), words: (new, subjects) } = *self;
            write_tickets(connection, &sql.rows.insert, &sql.recency.insert, opened).await?;
            write_tickets(connection, &sql.rows.upsert, &sql.recency.upsert, changed).await?;
            write_words(connection, &sql.words.insert, new).await?;
            write_words(connection, &sql.words.upsert, subjects).await
        }
        .boxed()
    }
}

async fn write_tickets(
    connection: &mut PgConnection,
    rows: &str,
    recency: &str,
    columns: TicketColumns,
) -> Result<(), ApplyError> {
    if columns.id.is_empty() {
        return Ok(());
    }
    sqlx::query(AssertSqlSafe(recency))
        .bind(&columns.id)
        .bind(columns.updated_at)
        .bind(columns.public_updated_at)
        .execute(&mut *connection)
        .await?;
    sqlx::query(AssertSqlSafe(rows))
        .bind(columns.id)
        .bind(columns.number)
        .bind(columns.created_at)
        .bind(columns.requester)
        .bind(columns.priority)
        .bind(columns.team)
        .bind(columns.category)
        .bind(columns.assignee)
        .bind(columns.followers)
        .bind(columns.tags)
        .bind(columns.status)
        .bind(columns.version)
        .bind(columns.position)
        .bind(columns.ticket)
        .execute(connection)
        .await?;
    Ok(())
}

async fn write_words(connection: &mut PgConnection, sql: &str, words: WordColumns) -> Result<(), ApplyError> {
    if words.ticket_id.is_empty() {
        return Ok(());
    }
    sqlx::query(AssertSqlSafe(sql))
        .bind(words.ticket_id)
        .bind(words.entry)
        .bind(words.public)
        .bind(words.words)
        .execute(connection)
        .await?;
    Ok(())
}
