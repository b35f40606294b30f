//! Writes the table of a model with one row per record.

use std::collections::BTreeSet;

use eventstore::{Position, StreamId, Version};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::row::{Folded, read_record, table};
use super::{Columns, Records, Step};
use crate::cache::Cache;
use crate::fold;
use crate::generation::Generation;
use crate::read_model::{ApplyError, Changes, DecodedEvent, Writer};

/// The number of records that a writer caches.
const CACHED: usize = 10_000;

pub(super) struct RecordsWriter<M: Records> {
    cache: Cache<Folded<M::Record>>,
    generation: Generation,
}

impl<M: Records> RecordsWriter<M> {
    pub(super) fn of(generation: Generation) -> Self {
        Self { cache: Cache::new(CACHED), generation }
    }

    async fn load_missing(&mut self, connection: &mut PgConnection, events: &[DecodedEvent]) -> Result<(), ApplyError> {
        let missing = self.cache.missing(events);
        if missing.is_empty() {
            return Ok(());
        }
        let table = table::<M>(self.generation);
        let sql = format!("select id, version, position, record from {table} where id = any($1)");
        for row in sqlx::query(AssertSqlSafe(sql)).bind(&missing).fetch_all(connection).await? {
            let id = row.try_get(0)?;
            let (version, position) = (Version(row.try_get(1)?), Position(row.try_get(2)?));
            let record = read_record::<M>(id, row.try_get(3)?).map_err(ApplyError::UnreadableRow)?;
            self.cache.put(StreamId(id), Folded { version, position, record });
        }
        Ok(())
    }
}

impl<M: Records> Writer for RecordsWriter<M> {
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
        let mut changed = BTreeSet::new();
        for event in events {
            let known = self.cache.take(event.stream);
            if let Some(known) = &known {
                event.check_newer_than(known.version)?;
            }
            let Step(apply) = event.payload::<Step<M::Record>>();
            let record = apply(known.map(|known| known.record), &fold::stamp(event))
                .map_err(|reason| event.not_applicable(reason))?;
            self.cache.put(event.stream, Folded { version: event.version, position: event.position, record });
            changed.insert(event.stream);
        }
        let row = |stream| self.cache.get(stream).map(|folded| folded.row::<M>(stream));
        let rows = changed.into_iter().filter_map(row).collect();
        self.cache.shrink();
        Ok(Box::new(ChangedRows {
            table: table::<M>(self.generation),
            key: format!("{}_{}_pkey", M::NAME, self.generation),
            rows,
        }))
    }

    fn invalidate(&mut self) {
        self.cache.clear();
    }
}

/// The rows that a batch changes.
struct ChangedRows {
    table: String,
    key: String,
    rows: Vec<Columns>,
}

impl Changes for ChangedRows {
    fn write(self: Box<Self>, connection: &mut PgConnection) -> BoxFuture<'_, Result<(), ApplyError>> {
        async move {
            let Self { table, key, rows } = *self;
            let Some(first) = rows.first() else { return Ok(()) };
            let columns = first.keys().map(String::as_str).collect::<Vec<_>>();
            let set = columns.iter().map(|c| format!("{c} = excluded.{c}")).collect::<Vec<_>>().join(", ");
            let columns = columns.join(", ");
            let sql = format!(
                "insert into {table} ({columns}) select {columns} from jsonb_populate_recordset(null::{table}, $1)
                 on conflict on constraint {key} do update set {set}"
            );
            sqlx::query(AssertSqlSafe(sql)).bind(sqlx::types::Json(rows)).execute(connection).await?;
            Ok(())
        }
        .boxed()
    }
}
