//! Writes the tables of `queues`.

use std::collections::BTreeMap;

use eventstore::StreamId;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, PgConnection};
use ticket_aggregate::Ticket;

use super::columns::{QueueRow, QueueRows, QueuedTicket, QueuedTickets};
use super::group_key::{GroupKey, GroupedTicket, outline};
use crate::cache::Cache;
use crate::fold;
use crate::generation::Generation;
use crate::read_model::{ApplyError, Changes, DecodedEvent, Writer};

/// The number of grouped tickets that a writer caches.
const CACHED: usize = 100_000;

pub(super) struct QueuesWriter {
    cache: Cache<GroupedTicket>,
    generation: Generation,
}

impl QueuesWriter {
    pub(super) fn of(generation: Generation) -> Self {
        Self { cache: Cache::new(CACHED), generation }
    }

    async fn load_missing(&mut self, connection: &mut PgConnection, events: &[DecodedEvent]) -> Result<(), ApplyError> {
        let missing = self.cache.missing(events);
        if missing.is_empty() {
            return Ok(());
        }
        let (names, table) = (QueuedTicket::COLUMNS.names(), QueuedTicket::COLUMNS.table(self.generation));
        let sql = format!("select {names} from {table} where ticket_id = any($1)");
        let rows: Vec<QueuedTicket> = sqlx::query_as(AssertSqlSafe(sql)).bind(&missing).fetch_all(connection).await?;
        for row in rows {
            self.cache.put(StreamId(row.ticket_id), row.read().map_err(ApplyError::UnreadableRow)?);
        }
        Ok(())
    }
}

impl Writer for QueuesWriter {
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
        let mut before: BTreeMap<StreamId, Option<GroupedTicket>> = BTreeMap::new();
        for event in events {
            let known = self.cache.take(event.stream);
            before.entry(event.stream).or_insert_with(|| known.clone());
            if let Some(known) = &known {
                event.check_newer_than(fold::version_of(known.version))?;
            }
            let ticket = known.as_ref().and_then(|known| outline(known, event));
            let ticket = fold::apply::<Ticket>(ticket, event)?;
            self.cache.put(event.stream, GroupedTicket::after(known.as_ref(), &ticket));
        }
        let mut moves = Moves { generation: self.generation, tickets: Vec::new(), counts: BTreeMap::new() };
        for (stream, old) in before {
            let Some(new) = self.cache.get(stream) else { continue };
            if old.as_ref().is_some_and(|old| old.since == new.since) {
                continue;
            }
            for (key, by) in old.into_iter().map(|old| (old.key, -1)).chain([(new.key.clone(), 1)]) {
                *moves.counts.entry(key).or_default() += by;
            }
            moves.tickets.push((stream, new.clone()));
        }
        moves.counts.retain(|_, by| *by != 0);
        self.cache.shrink();
        Ok(Box::new(moves))
    }

    fn invalidate(&mut self) {
        self.cache.clear();
    }
}

/// The tickets that moved to another queue, and the changes of the counts.
struct Moves {
    generation: Generation,
    tickets: Vec<(StreamId, GroupedTicket)>,
    counts: BTreeMap<GroupKey, i64>,
}

impl Changes for Moves {
    fn write(self: Box<Self>, connection: &mut PgConnection) -> BoxFuture<'_, Result<(), ApplyError>> {
        async move {
            let Self { generation, tickets, counts } = *self;
            let mut rows = QueuedTickets::default();
            for (stream, ticket) in &tickets {
                rows.push(QueuedTicket::of(*stream, ticket));
            }
            rows.execute(&QueuedTicket::COLUMNS.upsert(generation), connection).await?;
            Ok(write_counts(generation, &counts, connection).await?)
        }
        .boxed()
    }
}

async fn write_counts(
    generation: Generation,
    counts: &BTreeMap<GroupKey, i64>,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    if counts.is_empty() {
        return Ok(());
    }
    let mut rows = QueueRows::default();
    for (key, by) in counts {
        rows.push(QueueRow::of(key, *by));
    }
    let table = QueueRow::COLUMNS.table(generation);
    let add = format!(
        "{} on conflict on constraint queues_{generation}_key do update set count = q.count + excluded.count",
        QueueRow::COLUMNS.insert(&format!("{table} as q"))
    );
    rows.execute(&add, &mut *connection).await?;
    // so that the rows depend on the tickets alone, not on the order of events: a rebuild gives the same
    sqlx::query(AssertSqlSafe(format!("delete from {table} where count = 0"))).execute(connection).await?;
    Ok(())
}
