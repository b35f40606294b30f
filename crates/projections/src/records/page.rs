//! Pages of a model with one row per record.

use eventstore::{Position, Version};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{Decode, Encode, Postgres, QueryBuilder, Row, Type};
use uuid::Uuid;

use super::Records;
use super::row::{read_record, table};
use crate::error::ReadError;
use crate::generation::Generation;
use crate::page_cursor::{CursorKey, PageCursor};
use crate::read_model::ReadModel;
use crate::reader::{AtLeast, Reader};

/// A page of a list of records.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordPage<I, R> {
    /// The position that it was read at.
    pub position: Position,
    /// The records.
    pub items: Vec<RecordRow<I, R>>,
    /// The cursor of the next page; `None` on the last one.
    pub next: Option<String>,
}

/// A record in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordRow<I, R> {
    /// The record's id.
    pub id: I,
    /// The record's version.
    pub version: Version,
    /// The position of that version's event.
    pub position: Position,
    /// The record.
    pub record: R,
}

/// A query of a list of records. It is sorted by one column in ascending order, ties by id.
pub(crate) trait RecordQuery: Sync {
    /// The read model.
    type Model: Records;
    /// The type of the records' ids.
    type Id: From<Uuid> + Send;
    /// A record as readers get it.
    type Item: Send;
    /// The type of the column that the list is sorted by.
    type Key: CursorKey
        + Type<Postgres>
        + for<'q> Encode<'q, Postgres>
        + for<'r> Decode<'r, Postgres>
        + Clone
        + Send
        + Sync
        + 'static;

    /// The column that the list is sorted by; never null.
    const KEY: &'static str;

    /// All filters: a cursor is bound to them.
    fn filters(&self) -> Value;

    /// Adds the conditions on a row `t`, each with a leading `and`.
    fn push_filters(&self, sql: &mut QueryBuilder<Postgres>);

    /// Page size.
    fn limit(&self) -> u16;

    /// The cursor of the page; `None`: the first page.
    fn cursor(&self) -> Option<&str>;

    /// A stored record as readers get it. The text of the error is shown to operators.
    fn item(record: Record<Self>) -> Result<Self::Item, String>;
}

type Record<Q> = <<Q as RecordQuery>::Model as Records>::Record;
/// A page that answers a query.
pub(crate) type PageOf<Q> = RecordPage<<Q as RecordQuery>::Id, <Q as RecordQuery>::Item>;

impl Reader {
    /// A page of a list of records.
    pub(crate) async fn records<Q: RecordQuery>(
        &self,
        model: &'static Q::Model,
        query: &Q,
        at_least: AtLeast,
    ) -> Result<PageOf<Q>, ReadError> {
        let secret = self.cursor_secret().await?;
        let list = Value::from(vec![Value::from(model.name()), query.filters()]).to_string();
        let after = match query.cursor() {
            Some(cursor) => Some(PageCursor::open(cursor, secret, &list).ok_or(ReadError::InvalidCursor)?),
            None => None,
        };
        let read = |generation| -> futures_util::future::BoxFuture<'_, _> {
            Box::pin(page(self, generation, query, after.clone()))
        };
        let page = self.query(model, at_least, |page: &Page<Q>| page.position, read).await?;
        let next = page.next.map(|cursor| cursor.seal(secret, &list));
        Ok(RecordPage { position: page.position, items: page.items, next })
    }
}

struct Page<Q: RecordQuery> {
    position: Position,
    items: Vec<RecordRow<Q::Id, Q::Item>>,
    next: Option<PageCursor<Q::Key>>,
}

/// Reads a page and its position in one snapshot. `None`: the generation is no longer live.
async fn page<Q: RecordQuery>(
    reader: &Reader,
    generation: Generation,
    query: &Q,
    after: Option<PageCursor<Q::Key>>,
) -> Result<Option<Page<Q>>, ReadError> {
    let name = <Q::Model as Records>::NAME;
    let mut sql = QueryBuilder::<Postgres>::new("with at as (select c.position from checkpoints c where c.name = ");
    sql.push_bind(generation.checkpoint(name));
    sql.push(" and exists (select from read_models.generations g where g.state = 'live' and g.name = ");
    sql.push_bind(name).push(" and g.generation = ").push_bind(generation.0);
    let (key, table) = (Q::KEY, table::<Q::Model>(generation));
    sql.push(format!(
        ")) select at.position, r.* from at left join lateral (
           select t.id, t.version, t.position as last, t.record, t.{key} as key from {table} t where true"
    ));
    query.push_filters(&mut sql);
    if let Some(cursor) = after {
        sql.push(format!(" and (t.{key}, t.id) > (")).push_bind(cursor.key);
        sql.push(", ").push_bind(cursor.id).push(")");
    }
    sql.push(format!(" order by t.{key}, t.id limit ")).push_bind(i64::from(query.limit()) + 1);
    sql.push(") r on true order by r.key, r.id");
    let rows = sql.build().fetch_all(reader.pool()).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let position = Position(first.try_get(0)?);
    let mut items = Vec::with_capacity(rows.len());
    for row in rows.iter().take(query.limit().into()) {
        // an empty page is one row with nothing but the position
        let Some(id) = row.try_get::<Option<Uuid>, _>(1)? else { break };
        items.push(read::<Q>(id, row)?);
    }
    // there are more rows than fit
    let last = rows.len().checked_sub(2).filter(|_| rows.len() > usize::from(query.limit()));
    let next = match last.and_then(|last| rows.get(last)) {
        Some(row) => Some(PageCursor { key: row.try_get(5)?, id: row.try_get(1)? }),
        None => None,
    };
    Ok(Some(Page { position, items, next }))
}

fn read<Q: RecordQuery>(id: Uuid, row: &PgRow) -> Result<RecordRow<Q::Id, Q::Item>, ReadError> {
    let record = read_record::<Q::Model>(id, row.try_get(4)?).and_then(Q::item).map_err(ReadError::UnreadableRow)?;
    Ok(RecordRow { id: id.into(), version: Version(row.try_get(2)?), position: Position(row.try_get(3)?), record })
}
