//! The read model `tickets`: lists and full-text search. Writer and reader share this file, and it alone names its
//! tables.
//!
//! A row is the fold of its ticket. What most events change is in no index of that table, so that PostgreSQL writes the
//! new row beside the old one and leaves all indexes alone (a heap-only tuple), and stands side by side at the row's end,
//! so that it logs little more than that. The times by which the list is ordered change with every event: they stand in a table of
//! their own, `tickets_recency`. So do the words of a ticket, a row for each of its texts, which is written once: what a
//! ticket has grown to costs the next reply nothing (docs/adr/0025).

mod audit;
mod fold;
mod place;
mod query;
mod words;
mod writer;

use eventstore::{Position, Version};
use sqlx::{PgPool, Postgres, QueryBuilder, Row};
use ticket_aggregate::{Ticket, TicketId};

use crate::error::ReadError;
use crate::generations::Generation;
use crate::projection::{Projection, Table, Writer};
pub(crate) use audit::{Stored, other_words, stored};
pub(crate) use fold::{EntryWords, Words};
pub(crate) use place::Place;
pub use query::{Order, Seer, Sort, TicketQuery, TicketRow};
pub(crate) use words::{said, vector};
use writer::TicketsWriter;

pub(crate) struct Tickets;

impl Projection for Tickets {
    fn name(&self) -> &'static str {
        "tickets"
    }

    fn schema_version(&self) -> i32 {
        4
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
            r#"create table if not exists read_models.tickets_{generation} (
               id         uuid                  not null,
               number     bigint                not null,
               created_at timestamptz           not null,
               -- texts are looked for, never ordered by: they are compared by their bytes
               requester  text      collate "C",
               priority   smallint              not null,
               team       text      collate "C",
               category   text      collate "C",
               assignee   text      collate "C",
               followers  text[]    collate "C" not null,
               tags       text[]    collate "C" not null,
               status     text      collate "C" not null,
               version    bigint                not null,
               position   bigint                not null,
               ticket     text                  not null,
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
             )"#
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
             -- nobody asks which are frequent
             alter table read_models.tickets_{g} alter ticket set statistics 0;
             analyze read_models.tickets_{g}, read_models.tickets_recency_{g}"
        );
        let words = format!(
            "create index if not exists tickets_words_{g}_idx on read_models.tickets_words_{g} using gin (words);
             analyze read_models.tickets_words_{g}"
        );
        vec![tickets, words]
    }

    fn writer(&self, generation: Generation) -> Box<dyn Writer> {
        Box::new(TicketsWriter::of(generation))
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
    let mut sql = QueryBuilder::<Postgres>::new("with at as (select c.position from checkpoints c where c.name = ");
    sql.push_bind(generation.cursor("tickets"));
    sql.push(" and exists (select from read_models.generations g where g.name = 'tickets' and g.state = 'live' and g.generation = ");
    sql.push_bind(generation.0);
    let key = query.key_column();
    sql.push(format!(
        ")) select at.position, r.* from at left join lateral (
           select t.id, t.version, t.position as last, t.ticket, {key} as key
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
        let whole: Ticket = serde_json::from_str(row.try_get::<&str, _>(4)?)
            .map_err(|error| ReadError::Store(eventstore::StoreError::Corrupt(error.to_string())))?;
        let ticket = if query.seer.is_requester() { whole.public_view() } else { whole };
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
