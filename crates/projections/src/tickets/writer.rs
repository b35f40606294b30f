//! Fills a generation of `tickets`.

use std::sync::Arc;

use eventstore::StreamId;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use ticket_aggregate::Ticket;

use super::fold::{Changed, Columns, Words};
use crate::generations::Generation;
use crate::memory::Memory;
use crate::projection::{ApplyError, Changes, Fact, Writer};

/// How many folded tickets a writer remembers.
const REMEMBERED: usize = 20_000;

pub(super) struct TicketsWriter {
    memory: Memory<Ticket>,
    sql: Arc<Sql>,
}

/// The statements. Rows that are there are found by `on conflict`: it goes by the index whatever the planner knows of a
/// table that grows. Rows that can't be there are written without it, which costs half.
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
        let constant = "id, number, created_at, requester";
        let changing = "priority, team, category, assignee, followers, tags, status, version, position, ticket";
        let rows = format!(
            "insert into read_models.tickets_{generation} ({constant}, {changing})
             select {constant}, priority, team, category, assignee, followers::text[], tags::text[], status, version,
                    position, ticket
               from unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::smallint[], $6::text[],
                           $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::bigint[],
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
        let tickets = changed.columns(&self.memory);
        self.memory.shrink();
        Ok(Box::new(Rows { sql: self.sql.clone(), tickets, words: changed.words() }))
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

/// The rows that a batch changes: new ones, and such as are there.
struct Rows {
    sql: Arc<Sql>,
    tickets: (Columns, Columns),
    words: (Words, Words),
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
    columns: Columns,
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

async fn write_words(connection: &mut PgConnection, sql: &str, words: Words) -> Result<(), ApplyError> {
    if words.of.is_empty() {
        return Ok(());
    }
    sqlx::query(AssertSqlSafe(sql))
        .bind(words.of)
        .bind(words.entry)
        .bind(words.public)
        .bind(words.vectors)
        .execute(connection)
        .await?;
    Ok(())
}
