//! Writes the tables of `queues`.

use shared_kernel::StreamVersion;
use std::collections::BTreeMap;

use eventstore::StreamId;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use ticket_aggregate::Ticket;
use uuid::Uuid;

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
        let sql = format!(
            "select team, status, assignee, priority, ticket_id, version
               from read_models.queues_tickets_{} where ticket_id = any($1)",
            self.generation
        );
        for row in sqlx::query(AssertSqlSafe(sql)).bind(&missing).fetch_all(connection).await? {
            let key = GroupKey::read(&row)?.map_err(ApplyError::UnreadableRow)?;
            let version = StreamVersion(row.try_get::<i64, _>(5)?);
            self.cache.put(StreamId(row.try_get(4)?), GroupedTicket { version, since: version, key });
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
            self.write_tickets(&mut *connection).await?;
            self.write_counts(connection).await
        }
        .boxed()
    }
}

impl Moves {
    async fn write_tickets(&self, connection: &mut PgConnection) -> Result<(), ApplyError> {
        let tickets = &self.tickets;
        if tickets.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "insert into read_models.queues_tickets_{g} (ticket_id, version, team, status, assignee, priority)
             select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::uuid[], $6::text[])
             on conflict on constraint queues_tickets_{g}_pkey do update
                set version = excluded.version, team = excluded.team, status = excluded.status,
                    assignee = excluded.assignee, priority = excluded.priority",
            g = self.generation
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(tickets.iter().map(|(stream, _)| stream.0).collect::<Vec<_>>())
            .bind(tickets.iter().map(|(_, ticket)| ticket.since.0).collect::<Vec<_>>())
            .bind(tickets.iter().map(|(_, ticket)| ticket.key.team.map(Uuid::from)).collect::<Vec<_>>())
            .bind(tickets.iter().map(|(_, ticket)| ticket.key.status.as_str()).collect::<Vec<_>>())
            .bind(tickets.iter().map(|(_, ticket)| ticket.key.assignee.map(Uuid::from)).collect::<Vec<_>>())
            .bind(tickets.iter().map(|(_, ticket)| ticket.key.priority.as_str()).collect::<Vec<_>>())
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn write_counts(&self, connection: &mut PgConnection) -> Result<(), ApplyError> {
        let counts = &self.counts;
        if counts.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "insert into read_models.queues_{g} as q (team, status, assignee, priority, count)
             select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bigint[])
             on conflict on constraint queues_{g}_key do update set count = q.count + excluded.count",
            g = self.generation
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(counts.keys().map(|key| key.team.map(Uuid::from)).collect::<Vec<_>>())
            .bind(counts.keys().map(|key| key.status.as_str()).collect::<Vec<_>>())
            .bind(counts.keys().map(|key| key.assignee.map(Uuid::from)).collect::<Vec<_>>())
            .bind(counts.keys().map(|key| key.priority.as_str()).collect::<Vec<_>>())
            .bind(counts.values().copied().collect::<Vec<_>>())
            .execute(&mut *connection)
            .await?;
        // so that the rows depend on the tickets alone, not on the order of events: a rebuild gives the same
        let sql = format!("delete from read_models.queues_{} where count = 0", self.generation);
        sqlx::query(AssertSqlSafe(sql)).execute(connection).await?;
        Ok(())
    }
}
