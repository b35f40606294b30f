//! The read model `tickets`: lists and full-text search. Writer and reader share this file, and it alone names its
//! tables.
//!
//! A row is the fold of its ticket, twice: as staff see it, and from the public events alone. What most events change is
//! in no index of that table, so that PostgreSQL writes the new row beside the old one and leaves all indexes alone
//! (a heap-only tuple). The times by which the list is ordered change with every event: they stand in a table of
//! their own, `tickets_recency`. So do the words of a ticket, a row for each of its texts, which is written once: what a
//! ticket has grown to costs the next reply nothing (docs/adr/0025).

mod audit;
mod fold;
mod place;
mod query;
mod words;

use std::sync::Arc;

use eventstore::{Position, StreamId, Version};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, QueryBuilder, Row};
use ticket_aggregate::TicketId;

use crate::error::ReadError;
use crate::generations::Generation;
use crate::memory::Memory;
use crate::projection::{ApplyError, Changes, Fact, Projection, Table, Writer};
pub(crate) use audit::{Stored, other_words, stored};
use fold::{Changed, Columns, Folded};
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
        3
    }

    fn wants(&self, event_type: &str) -> bool {
        event_type.starts_with("ticket.")
    }

    fn tables(&self, generation: Generation) -> Vec<Table> {
        let words = "row(t.ticket_id, t.entry, t.public, tsvectorsend(t.words))";
        vec![
            Table { name: format!("read_models.tickets_{generation}"), row: "t" },
            Table { name: format!("read_models.tickets_recency_{generation}"), row: "t" },
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
               staff_view        text        not null,
               public_view       text        not null,
               constraint tickets_{generation}_pkey primary key (id)
             )
             -- room for the next version of a row beside it; and a row of the usual size is not compressed: that costs
             -- more than all else in its writing
             with (fillfactor = 60, toast_tuple_target = 8160);
             create table if not exists read_models.tickets_recency_{generation} (
               ticket_id         uuid        not null,
               updated_at        timestamptz not null,
               public_updated_at timestamptz not null,
               constraint tickets_recency_{generation}_pkey primary key (ticket_id)
             );
             create table if not exists read_models.tickets_words_{generation} (
               ticket_id uuid     not null,
               entry     bigint   not null,
               public    boolean  not null,
               words     tsvector not null,
               constraint tickets_words_{generation}_pkey primary key (ticket_id, entry)
             )"
        )
    }

    fn index(&self, generation: Generation) -> Vec<String> {
        let g = generation;
        let tickets = format!(
            "create index if not exists tickets_recency_{g}_idx on read_models.tickets_recency_{g} (updated_at, ticket_id);
             create index if not exists tickets_{g}_created_idx on read_models.tickets_{g} (created_at, id);
             create index if not exists tickets_{g}_number_idx on read_models.tickets_{g} (number, id);
             create index if not exists tickets_{g}_priority_idx on read_models.tickets_{g} (priority, id);
             create index if not exists tickets_{g}_team_idx on read_models.tickets_{g} (team);
             create index if not exists tickets_{g}_assignee_idx on read_models.tickets_{g} (assignee);
             create index if not exists tickets_{g}_requester_idx on read_models.tickets_{g} (requester);
             create index if not exists tickets_{g}_followers_idx on read_models.tickets_{g} using gin (followers);
             -- nobody asks which views are frequent
             alter table read_models.tickets_{g}
               alter staff_view set statistics 0, alter public_view set statistics 0;
             analyze read_models.tickets_{g}, read_models.tickets_recency_{g}"
        );
        let words = format!(
            "create index if not exists tickets_words_{g}_idx on read_models.tickets_words_{g} using gin (words);
             analyze read_models.tickets_words_{g}"
        );
        vec![tickets, words]
    }

    fn writer(&self, generation: Generation) -> Box<dyn Writer> {
        Box::new(TicketsWriter { memory: Memory::new(REMEMBERED), sql: Arc::new(Sql::of(generation)) })
    }
}

struct TicketsWriter {
    memory: Memory<Folded>,
    sql: Arc<Sql>,
}

struct Sql {
    load: String,
    rows: String,
    recency: String,
    words: String,
}

impl Sql {
    fn of(generation: Generation) -> Self {
        let columns = "id, number, version, position, status, priority, team, category, assignee, requester, followers, \
                       tags, created_at, staff_view, public_view";
        let updates = columns.split(", ").skip(2).map(|c| format!("{c} = excluded.{c}")).collect::<Vec<_>>().join(", ");
        Self {
            load: format!(
                "select id, staff_view, public_view
                   from read_models.tickets_{generation} where id = any($1)"
            ),
            rows: format!(
                "insert into read_models.tickets_{generation} as t ({columns})
                 select id, number, version, position, status, priority, team, category, assignee, requester,
                        followers::text[], tags::text[], created_at, staff_view, public_view
                   from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::smallint[],
                               $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
                               $13::timestamptz[], $14::text[], $15::text[])
                     as r ({columns})
                 on conflict on constraint tickets_{generation}_pkey do update set {updates}"
            ),
            recency: format!(
                "insert into read_models.tickets_recency_{generation} (ticket_id, updated_at, public_updated_at)
                 select * from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])
                 on conflict on constraint tickets_recency_{generation}_pkey
                 do update set updated_at = excluded.updated_at, public_updated_at = excluded.public_updated_at"
            ),
            // but for the subject, a text is never written again
            words: format!(
                "insert into read_models.tickets_words_{generation} (ticket_id, entry, public, words)
                 select * from unnest($1::uuid[], $2::bigint[], $3::boolean[], $4::tsvector[])
                 on conflict on constraint tickets_words_{generation}_pkey do update set words = excluded.words"
            ),
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
        let rows = changed.columns(&self.memory);
        self.memory.shrink();
        Ok(Box::new(Written { sql: self.sql.clone(), rows, words: changed.words() }))
    }

    fn forget(&mut self) {
        self.memory.clear();
    }
}

impl TicketsWriter {
    async fn remember(&mut self, connection: &mut PgConnection, facts: &[Fact]) -> Result<(), ApplyError> {
        let wanted = self.memory.missing(facts);
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
}

/// The rows that a batch changes.
struct Written {
    sql: Arc<Sql>,
    rows: Columns,
    words: Words,
}

impl Changes for Written {
    fn write(self: Box<Self>, connection: &mut PgConnection) -> BoxFuture<'_, Result<(), ApplyError>> {
        async move {
            let Self { sql, rows, words } = *self;
            sqlx::query(AssertSqlSafe(sql.recency.clone()))
                .bind(rows.id.clone())
                .bind(rows.updated_at)
                .bind(rows.public_updated_at)
                .execute(&mut *connection)
                .await?;
            sqlx::query(AssertSqlSafe(sql.rows.clone()))
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
                .bind(rows.staff_view)
                .bind(rows.public_view)
                .execute(&mut *connection)
                .await?;
            if !words.of.is_empty() {
                sqlx::query(AssertSqlSafe(sql.words.clone()))
                    .bind(words.of)
                    .bind(words.entry)
                    .bind(words.public)
                    .bind(words.vectors)
                    .execute(connection)
                    .await?;
            }
            Ok(())
        }
        .boxed()
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
             from read_models.tickets_{generation} t"
    ));
    if query.needs_recency() {
        sql.push(format!(" join read_models.tickets_recency_{generation} u on u.ticket_id = t.id"));
    }
    sql.push(" where true");
    let (column, id) = query.order_columns();
    query.narrow(&mut sql, generation);
    let direction = if query.sort.descending { "desc" } else { "asc" };
    if let Some(place) = after {
        sql.push(format!(" and ({column}, {id}) {} (", if query.sort.descending { "<" } else { ">" }));
        query.push_key(&mut sql, place.key);
        sql.push(", ").push_bind(place.id).push(")");
    }
    sql.push(format!(" order by {column} {direction}, {id} {direction} limit "));
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
