//! Writes the table of `timers`.

use std::collections::BTreeMap;

use eventstore::StreamId;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, PgConnection};
use ticket_aggregate::Ticket;
use uuid::Uuid;

use super::columns::{TimerRow, TimerRows};
use super::due::{Occurrence, after, outline};
use crate::cache::Cache;
use crate::fold;
use crate::generation::Generation;
use crate::read_model::{ApplyError, Changes, DecodedEvent, Writer};

/// The number of tickets whose timer, or lack of one, a writer caches.
const CACHED: usize = 100_000;

pub(super) struct TimersWriter {
    cache: Cache<Option<TimerRow>>,
    generation: Generation,
}

impl TimersWriter {
    pub(super) fn of(generation: Generation) -> Self {
        Self { cache: Cache::new(CACHED), generation }
    }

    async fn load_missing(&mut self, connection: &mut PgConnection, events: &[DecodedEvent]) -> Result<(), ApplyError> {
        let missing = self.cache.missing(events);
        if missing.is_empty() {
            return Ok(());
        }
        let columns = TimerRow::COLUMNS.names();
        let sql = format!("select {columns} from read_models.timers_{} where stream_id = any($1)", self.generation);
        let rows: Vec<TimerRow> = sqlx::query_as(AssertSqlSafe(sql)).bind(&missing).fetch_all(connection).await?;
        for stream in missing {
            self.cache.put(StreamId(stream), None);
        }
        for row in rows {
            self.cache.put(StreamId(row.stream_id), Some(row));
        }
        Ok(())
    }
}

impl Writer for TimersWriter {
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
        let mut before: BTreeMap<StreamId, Option<TimerRow>> = BTreeMap::new();
        for event in events {
            let known = self.cache.take(event.stream).flatten();
            before.entry(event.stream).or_insert_with(|| known.clone());
            self.cache.put(event.stream, timer_after(known.as_ref(), event)?);
        }
        let mut changes = TimerChanges { generation: self.generation, gone: Vec::new(), set: TimerRows::default() };
        for (stream, old) in before {
            let new = self.cache.get(stream).cloned().flatten();
            if new == old {
                continue;
            }
            if let Some(old) = old
                && new.as_ref().is_none_or(|new| new.kind != old.kind)
            {
                changes.gone.push((old.stream_id, old.kind));
            }
            if let Some(new) = new {
                changes.set.push(new);
            }
        }
        self.cache.shrink();
        Ok(Box::new(changes))
    }

    fn invalidate(&mut self) {
        self.cache.clear();
    }
}

fn timer_after(known: Option<&TimerRow>, event: &DecodedEvent) -> Result<Option<TimerRow>, ApplyError> {
    let at = Occurrence {
        stream: event.stream,
        version: event.version,
        occurred_at: event.occurred_at,
        recorded_at: event.recorded_at,
    };
    let outline = outline(known, &fold::stamp(event)).map_err(ApplyError::UnreadableRow)?;
    let ticket = fold::apply::<Ticket>(outline, event)?;
    Ok(after(known, &ticket, &at))
}

/// The timers that a batch sets, and those that it ends.
struct TimerChanges {
    generation: Generation,
    gone: Vec<(Uuid, String)>,
    set: TimerRows,
}

impl Changes for TimerChanges {
    fn write(self: Box<Self>, connection: &mut PgConnection) -> BoxFuture<'_, Result<(), ApplyError>> {
        async move {
            let Self { generation, gone, set } = *self;
            let table = TimerRow::COLUMNS.table(generation);
            if !gone.is_empty() {
                let (streams, kinds): (Vec<_>, Vec<_>) = gone.into_iter().unzip();
                let sql = format!(
                    "delete from {table} where (stream_id, kind) in (select * from unnest($1::uuid[], $2::text[]))"
                );
                sqlx::query(AssertSqlSafe(sql)).bind(streams).bind(kinds).execute(&mut *connection).await?;
            }
            let upsert = TimerRow::COLUMNS.upsert(generation);
            Ok(set.execute(&upsert, connection).await?)
        }
        .boxed()
    }
}
