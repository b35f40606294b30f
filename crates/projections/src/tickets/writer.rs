//! Fills a generation of `tickets`.

use std::sync::Arc;

use eventstore::StreamId;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use ticket_aggregate::Ticket;

use super::fold::{Changed, Columns, Words, Written};
use crate::generations::Generation;
use crate::memory::Memory;
use crate::projection::{ApplyError, Changes, Fact, Writer};

/// How many folded tickets a writer remembers.
const REMEMBERED: usize = 20_000;

pub(super) struct TicketsWriter {
    memory: Memory<Ticket>,
    sql: Arc<Sql>,
}

/// Where rows are written to, each table with its columns, and the statements. Rows that are new are copied; such as are there
/// are found by `on conflict`: it goes by the index whatever the planner knows of a table that grows.
struct Sql {
    load: String,
    tickets: String,
    recency: String,
    words: String,
    change_tickets: String,
    change_recency: String,
    change_words: String,
}

impl Sql {
    fn of(generation: Generation) -> Self {
        let table = |name: &str| format!("read_models.{name}_{generation}");
        let constant = "id, number, created_at, requester";
        let changing = "priority, team, category, assignee, followers, tags, status, version, position, ticket";
        let tickets = format!("{} ({constant}, {changing})", table("tickets"));
        let recency = format!("{} (ticket_id, updated_at, public_updated_at)", table("tickets_recency"));
        let words = format!("{} (ticket_id, entry, public, words)", table("tickets_words"));
        Self {
            load: format!("select id, ticket from {} where id = any($1)", table("tickets")),
            change_tickets: format!(
                "insert into {tickets}
                 select {constant}, priority, team, category, assignee, followers::text[], tags::text[], status, version,
                        position, ticket
                   from unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::smallint[], $6::text[],
                               $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::bigint[],
                               $13::bigint[], $14::text[])
                     as r ({constant}, {changing})
                 on conflict on constraint tickets_{generation}_pkey do update set {}",
                excluded(changing)
            ),
            change_recency: format!(
                "insert into {recency}
                 select * from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])
                 on conflict on constraint tickets_recency_{generation}_pkey do update set {}",
                excluded("updated_at, public_updated_at")
            ),
            change_words: format!(
                "insert into {words}
                 select * from unnest($1::uuid[], $2::bigint[], $3::boolean[], $4::tsvector[])
                 on conflict on constraint tickets_words_{generation}_pkey do update set {}",
                excluded("words")
            ),
            tickets,
            recency,
            words,
        }
    }
}

/// Each of these columns as it would have been inserted.
fn excluded(columns: &str) -> String {
    columns.split(", ").map(|column| format!("{column} = excluded.{column}")).collect::<Vec<_>>().join(", ")
}

impl Writer for TicketsWriter {
    fn load<'a>(
        &'a mut self,
        connection: &'a mut PgConnection,
        facts: &'a [Fact],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        self.remember(connection, facts).boxed()
    }

    fn knows(&self, facts: &[Fact]) -> bool {
        self.memory.missing(facts).is_empty()
    }

    fn fold(&mut self, facts: &[Fact]) -> Result<Box<dyn Changes>, ApplyError> {
        let mut changed = Changed::default();
        for fact in facts {
            let known = self.memory.take(fact.stream);
            self.memory.put(fact.stream, changed.fold(known, fact)?);
        }
        let written = changed.written(&self.memory);
        self.memory.shrink();
        Ok(Box::new(Rows { sql: self.sql.clone(), written }))
    }

    fn forget(&mut self) {
        self.memory.clear();
    }
}

impl TicketsWriter {
    pub(super) fn of(generation: Generation) -> Self {
        Self { memory: Memory::new(REMEMBERED), sql: Arc::new(Sql::of(generation)) }
    }

    async fn remember(&mut self, connection: &mut PgConnection, facts: &[Fact]) -> Result<(), ApplyError> {
        let wanted = self.memory.missing(facts);
        if wanted.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(AssertSqlSafe(self.sql.load.clone())).bind(&wanted).fetch_all(connection).await?;
        for row in rows {
            let stream = StreamId(row.try_get(0)?);
            let ticket = serde_json::from_str(row.try_get(1)?).map_err(|error| {
                let first = facts.iter().find(|fact| fact.stream == stream);
                first.map_or(ApplyError::Database(sqlx::Error::RowNotFound), |fact| {
                    fact.unfit(format!("its row can't be read: {error}"))
                })
            })?;
            self.memory.put(stream, ticket);
        }
        Ok(())
    }
}

/// The rows of a batch.
struct Rows {
    sql: Arc<Sql>,
    written: Written,
}

impl Changes for Rows {
    fn write(self: Box<Self>, connection: &mut PgConnection) -> BoxFuture<'_, Result<(), ApplyError>> {
        async move {
            let Self { sql, written } = *self;
            written.opened.recency.write(&mut *connection, &sql.recency).await?;
            written.opened.tickets.write(&mut *connection, &sql.tickets).await?;
            change_tickets(&mut *connection, &sql, written.changed).await?;
            written.words.write(&mut *connection, &sql.words).await?;
            change_words(connection, &sql, written.subjects).await
        }
        .boxed()
    }
}

async fn change_tickets(connection: &mut PgConnection, sql: &Sql, columns: Columns) -> Result<(), ApplyError> {
    if columns.id.is_empty() {
        return Ok(());
    }
    sqlx::query(AssertSqlSafe(sql.change_recency.as_str()))
        .bind(&columns.id)
        .bind(columns.updated_at)
        .bind(columns.public_updated_at)
        .execute(&mut *connection)
        .await?;
    sqlx::query(AssertSqlSafe(sql.change_tickets.as_str()))
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

async fn change_words(connection: &mut PgConnection, sql: &Sql, words: Words) -> Result<(), ApplyError> {
    if words.of.is_empty() {
        return Ok(());
    }
    sqlx::query(AssertSqlSafe(sql.change_words.as_str()))
        .bind(words.of)
        .bind(words.entry)
        .bind(words.public)
        .bind(words.vectors)
        .execute(connection)
        .await?;
    Ok(())
}
