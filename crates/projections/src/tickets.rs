//! The read model `tickets`: lists and full-text search. Writer and reader share this file, and it alone names its
//! tables.
//!
//! A row is the fold of its ticket, twice: as staff see it, and from the public events alone. The words of a ticket
//! stand in a table of their own, a row for each of its texts, which is written once: what a ticket has grown to costs
//! the next reply nothing.

mod audit;
mod fold;
mod place;
mod query;
mod words;

use eventstore::{Position, StreamId, Version};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, QueryBuilder, Row};
use ticket_aggregate::TicketId;

use crate::error::ReadError;
use crate::generations::Generation;
use crate::memory::Memory;
use crate::projection::{ApplyError, Fact, Projection, Table, Writer};
pub(crate) use audit::{Stored, other_words, stored};
use fold::{Changes, Folded};
pub(crate) use fold::{EntryWords, Words};
pub(crate) use place::Place;
pub use query::{Order, Seer, Sort, TicketQuery, TicketRow};
pub(crate) use words::{said, vector};

/// How many folded tickets a writer remembers.
const REMEMBERED: usize = 20_000;

pub(crate) struct Tickets;

impl Projection for Tickets {
    fn name(&self) -> &'static str {
        "tickets"
    }

    fn schema_version(&self) -> i32 {
        2
    }

    fn wants(&self, event_type: &str) -> bool {
        event_type.starts_with("ticket.")
    }

    fn tables(&self, generation: Generation) -> Vec<Table> {
        let words = "row(t.ticket_id, t.entry, t.public, tsvectorsend(t.words))";
        vec![
            Table { name: format!("read_models.tickets_{generation}"), row: "t" },
            Table { name: format!("read_models.tickets_words_{generation}"), row: words },
        ]
    }

    fn create(&self, generation: Generation) -> String {
        format!(
            "create table if not exists read_models.tickets_{generation} (
               id                uuid        not null,
               number            bigint      not null,
               version           bigint      not null,
               position          bigint      not null,
               status            text        not null,
               priority          smallint    not null,
               team              text,
               category          text,
               assignee          text,
               requester         text,
               followers         text[]      not null,
               tags              text[]      not null,
               created_at        timestamptz not null,
               updated_at        timestamptz not null,
               public_updated_at timestamptz not null,
               staff_view        text        not null,
               public_view       text        not null,
               constraint tickets_{generation}_pkey primary key (id)
             )
             -- a row of the usual size is not compressed: that costs more than all else in its writing
             with (toast_tuple_target = 8160);
             create table if not exists read_models.tickets_words_{generation} (
               ticket_id uuid     not null,
               entry     bigint   not null,
               public    boolean  not null,
               words     tsvector not null,
               constraint tickets_words_{generation}_pkey primary key (ticket_id, entry)
             )"
        )
    }

    fn index(&self, generation: Generation) -> String {
        let g = generation;
        format!(
            "create index if not exists tickets_{g}_updated_idx on read_models.tickets_{g} (updated_at, id);
             create index if not exists tickets_{g}_created_idx on read_models.tickets_{g} (created_at, id);
             create index if not exists tickets_{g}_number_idx on read_models.tickets_{g} (number, id);
             create index if not exists tickets_{g}_priority_idx on read_models.tickets_{g} (priority, id);
             create index if not exists tickets_{g}_team_idx on read_models.tickets_{g} (team, updated_at, id);
             create index if not exists tickets_{g}_assignee_idx on read_models.tickets_{g} (assignee);
             create index if not exists tickets_{g}_requester_idx on read_models.tickets_{g} (requester);
             create index if not exists tickets_{g}_followers_idx on read_models.tickets_{g} using gin (followers);
             create index if not exists tickets_words_{g}_idx on read_models.tickets_words_{g} using gin (words);
             -- nobody asks which views are frequent
             alter table read_models.tickets_{g}
               alter staff_view set statistics 0, alter public_view set statistics 0;
             analyze read_models.tickets_{g}, read_models.tickets_words_{g}"
        )
    }

    fn writer(&self, generation: Generation) -> Box<dyn Writer> {
        Box::new(TicketsWriter { memory: Memory::new(REMEMBERED), sql: Sql::of(generation) })
    }
}

struct TicketsWriter {
    memory: Memory<Folded>,
    sql: Sql,
}

struct Sql {
    load: String,
    rows: String,
    words: String,
}

impl Sql {
    fn of(generation: Generation) -> Self {
        let columns = "id, number, version, position, status, priority, team, category, assignee, requester, followers, \
                       tags, created_at, updated_at, public_updated_at, staff_view, public_view";
        let updates = columns.split(", ").skip(2).map(|c| format!("{c} = excluded.{c}")).collect::<Vec<_>>().join(", ");
        Self {
            load: format!(
                "select id, staff_view, public_view
                   from read_models.tickets_{generation} where id = any($1)"
            ),
            rows: format!(
                "insert into read_models.tickets_{generation} as t ({columns})
                 select id, number, version, position, status, priority, team, category, assignee, requester,
                        followers::text[], tags::text[], created_at, updated_at, public_updated_at,
                        staff_view, public_view
                   from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::smallint[],
                               $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
                               $13::timestamptz[], $14::timestamptz[], $15::timestamptz[], $16::text[], $17::text[])
                     as r ({columns})
                 on conflict on constraint tickets_{generation}_pkey do update set {updates}"
            ),
            // but for the subject, a text is never written again
            words: format!(
                "insert into read_models.tickets_words_{generation} (ticket_id, entry, public, words)
                 select ticket_id, entry, public, words::tsvector
                   from unnest($1::uuid[], $2::bigint[], $3::boolean[], $4::text[]) t (ticket_id, entry, public, words)
                 on conflict on constraint tickets_words_{generation}_pkey do update set words = excluded.words"
            ),
        }
    }
}

impl Writer for TicketsWriter {
    fn apply<'a>(
        &'a mut self,
        connection: &'a mut PgConnection,
        facts: &'a [Fact],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            self.memory.shrink();
            self.load(connection, facts).await?;
            let mut changes = Changes::default();
            for fact in facts {
                let known = self.memory.take(fact.stream);
                self.memory.put(fact.stream, changes.fold(known, fact)?);
            }
            self.write_rows(connection, &changes).await?;
            self.write_words(connection, changes).await
        }
        .boxed()
    }

    fn forget(&mut self) {
        self.memory.clear();
    }
}

impl TicketsWriter {
    /// Remembers the tickets that the events are about; an opening needs none.
    async fn load(&mut self, connection: &mut PgConnection, facts: &[Fact]) -> Result<(), ApplyError> {
        let known = |fact: &&Fact| fact.version > Version(1) && !self.memory.has(fact.stream);
        let mut wanted: Vec<_> = facts.iter().filter(known).map(|fact| fact.stream.0).collect();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(AssertSqlSafe(self.sql.load.clone())).bind(&wanted).fetch_all(connection).await?;
        for row in rows {
            let stream = StreamId(row.try_get(0)?);
            let (full, public): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
            let folded = Folded::read(full, public).map_err(|error| {
                let first = facts.iter().find(|fact| fact.stream == stream);
                first.map_or(ApplyError::Database(sqlx::Error::RowNotFound), |fact| {
                    fact.unfit(format!("its row can't be read: {error}"))
                })
            })?;
            self.memory.put(stream, folded);
        }
        Ok(())
    }

    async fn write_rows(&self, connection: &mut PgConnection, changes: &Changes) -> Result<(), ApplyError> {
        let rows = changes.columns(&self.memory);
        sqlx::query(AssertSqlSafe(self.sql.rows.clone()))
            .bind(rows.id)
            .bind(rows.number)
            .bind(rows.version)
            .bind(rows.position)
            .bind(rows.status)
            .bind(rows.priority)
            .bind(rows.team)
            .bind(rows.category)
            .bind(rows.assignee)
            .bind(rows.requester)
            .bind(rows.followers)
            .bind(rows.tags)
            .bind(rows.created_at)
            .bind(rows.updated_at)
            .bind(rows.public_updated_at)
            .bind(rows.staff_view)
            .bind(rows.public_view)
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn write_words(&self, connection: &mut PgConnection, changes: Changes) -> Result<(), ApplyError> {
        let words = changes.words();
        if words.of.is_empty() {
            return Ok(());
        }
        sqlx::query(AssertSqlSafe(self.sql.words.clone()))
            .bind(words.of)
            .bind(words.entry)
            .bind(words.public)
            .bind(words.vectors)
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// A page of the list.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) position: Position,
    pub(crate) items: Vec<TicketRow>,
    /// Where the next one begins.
    pub(crate) next: Option<Place>,
}

/// A page of the list, as of one moment: its position is read with it. `None`: the generation does not serve any more.
pub(crate) async fn page(
    pool: &PgPool,
    generation: Generation,
    query: &TicketQuery,
    after: Option<Place>,
) -> Result<Option<Page>, ReadError> {
    let mut sql = QueryBuilder::<Postgres>::new("with at as (select c.position from cursors c where c.name = ");
    sql.push_bind(generation.cursor("tickets"));
    sql.push(" and exists (select from read_models.generations g where g.name = 'tickets' and g.state = 'live' and g.generation = ");
    sql.push_bind(generation.0);
    let view = if query.seer.is_requester() { "public_view" } else { "staff_view" };
    let key = query.key_column();
    sql.push(format!(
        ")) select at.position, r.* from at left join lateral (
           select t.id, t.version, t.position as last, t.{view} as view, {key} as key
             from read_models.tickets_{generation} t where true"
    ));
    query.narrow(&mut sql, generation);
    let direction = if query.sort.descending { "desc" } else { "asc" };
    if let Some(place) = after {
        sql.push(format!(" and ({}, t.id) {} (", query.order_column(), if query.sort.descending { "<" } else { ">" }));
        query.push_key(&mut sql, place.key);
        sql.push(", ").push_bind(place.id).push(")");
    }
    sql.push(format!(" order by {} {direction}, t.id {direction} limit ", query.order_column()));
    sql.push_bind(i64::from(query.limit) + 1);
    sql.push(format!(") r on true order by r.key {direction}, r.id {direction}"));
    let rows = sql.build().fetch_all(pool).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let position = Position(first.try_get(0)?);
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        // nothing but the position where nothing was found
        let Some(id) = row.try_get::<Option<uuid::Uuid>, _>(1)? else { break };
        let ticket = serde_json::from_str(row.try_get::<&str, _>(4)?)
            .map_err(|error| ReadError::Fault(eventstore::Fault::Corrupt(error.to_string())))?;
        let (version, last) = (Version(row.try_get(2)?), Position(row.try_get(3)?));
        items.push((
            TicketRow { id: TicketId(id), version, position: last, ticket },
            Place { key: row.try_get(5)?, id },
        ));
    }
    let next = (items.len() > usize::from(query.limit)).then(|| {
        items.truncate(usize::from(query.limit));
        items.last().map(|(_, place)| *place)
    });
    Ok(Some(Page { position, items: items.into_iter().map(|(row, _)| row).collect(), next: next.flatten() }))
}
