//! A page of the list of tickets.

use eventstore::{Position, Version};
use sqlx::{PgPool, Postgres, QueryBuilder, Row};
use ticket_aggregate::TicketId;

use super::query::{TicketQuery, TicketRow};
use super::{NAME, Tickets, columns};
use crate::error::ReadError;
use crate::generation::Generation;
use crate::page_cursor::PageCursor;
use crate::reader::{AtLeast, Reader};

/// A page of the list of tickets.
#[derive(Clone, Debug)]
pub struct TicketsPage {
    /// The position that it was read at.
    pub position: Position,
    /// The tickets.
    pub items: Vec<TicketRow>,
    /// The cursor of the next page; `None` on the last one.
    pub next: Option<String>,
}

impl Reader {
    /// A page of the list of tickets.
    pub async fn tickets(&self, query: &TicketQuery, at_least: AtLeast) -> Result<TicketsPage, ReadError> {
        let secret = self.cursor_secret().await?;
        let list = query.list();
        let after = match &query.cursor {
            Some(cursor) => Some(PageCursor::open(cursor, secret, &list).ok_or(ReadError::InvalidCursor)?),
            None => None,
        };
        let page = self
            .query(
                &Tickets,
                at_least,
                |page: &Page| page.position,
                |generation| Box::pin(page(self.pool(), generation, query, after)),
            )
            .await?;
        let next = page.next.map(|cursor| cursor.seal(secret, &list));
        Ok(TicketsPage { position: page.position, items: page.items, next })
    }
}

struct Page {
    position: Position,
    items: Vec<TicketRow>,
    next: Option<PageCursor<i64>>,
}

/// Reads a page and its position in one snapshot. `None`: the generation is no longer live.
async fn page(
    pool: &PgPool,
    generation: Generation,
    query: &TicketQuery,
    after: Option<PageCursor<i64>>,
) -> Result<Option<Page>, ReadError> {
    let mut sql = QueryBuilder::<Postgres>::new("with at as (select c.position from checkpoints c where c.name = ");
    sql.push_bind(generation.checkpoint(NAME));
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
    query.push_filters(&mut sql, generation);
    let direction = if query.sort.descending { "desc" } else { "asc" };
    if let Some(cursor) = after {
        sql.push(format!(" and ({column}, {id}) {} (", if query.sort.descending { "<" } else { ">" }));
        query.push_key(&mut sql, cursor.key);
        sql.push(", ").push_bind(cursor.id).push(")");
    }
    sql.push(format!(" order by {column} {direction}, {id} {direction} limit "));
    sql.push_bind(i64::from(query.limit) + 1);
    sql.push(format!(") r on true order by r.key {direction}, r.id {direction}"));
    let rows = sql.build().fetch_all(pool).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let position = Position(first.try_get(0)?);
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        // an empty page is one row with nothing but the position
        let Some(id) = row.try_get::<Option<uuid::Uuid>, _>(1)? else { break };
        let whole = columns::read_ticket(id, row.try_get(4)?).map_err(ReadError::UnreadableRow)?;
        let ticket = if query.viewer.is_requester() { whole.public_view() } else { whole };
        let (version, last) = (Version(row.try_get(2)?), Position(row.try_get(3)?));
        items.push((
            TicketRow { id: TicketId(id), version, position: last, ticket },
            PageCursor { key: row.try_get(5)?, id },
        ));
    }
    let next = (items.len() > usize::from(query.limit)).then(|| {
        items.truncate(usize::from(query.limit));
        items.last().map(|(_, cursor)| *cursor)
    });
    Ok(Some(Page { position, items: items.into_iter().map(|(row, _)| row).collect(), next: next.flatten() }))
}
