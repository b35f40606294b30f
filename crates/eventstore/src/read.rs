//! Reading a stream, and the log.

use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use futures_util::{Stream, TryStreamExt, stream};
use sqlx::{FromRow, PgConnection, PgExecutor, Row, postgres::PgRow};
use uuid::Uuid;

use crate::{EventStore, Fault, Position, RecordedEvent, StreamId, Version};

/// How many events a page of the log holds: large enough that the round trip doesn't count, and
/// no snapshot is held between two of them.
const PAGE: u16 = 1_000;

/// Which part of a stream to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct StreamRange {
    /// Only events after this version.
    pub after: Version,
    /// Only events up to this version.
    pub until_version: Option<Version>,
    /// Only events that had happened by then (`occurred_at`).
    pub until_time: Option<DateTime<Utc>>,
}

impl StreamRange {
    /// All that came after a version.
    pub fn after(version: Version) -> Self {
        Self { after: version, ..Self::default() }
    }
}

const COLUMNS: &str = "position, stream_id, version, type, schema_version, payload::text as payload, \
                       metadata::text as metadata, occurred_at, recorded_at";

impl EventStore {
    /// The events of a stream, in order; empty where there is no such stream.
    pub async fn read_stream(&self, stream: StreamId, range: StreamRange) -> Result<Vec<RecordedEvent>, Fault> {
        let sql = format!(
            "select {COLUMNS} from events where stream_id = $1 and version > $2
                and version <= coalesce($3, 9223372036854775807)
                and occurred_at <= coalesce($4, 'infinity'::timestamptz)
              order by version"
        );
        let events = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(stream.0)
            .bind(range.after.0)
            .bind(range.until_version.map(|v| v.0))
            .bind(range.until_time)
            .fetch_all(&self.pool)
            .await?;
        Ok(events)
    }

    /// All streams, one after the other, each in order: memory is bounded by a page. For audits, which
    /// want to hold one stream's state at a time.
    pub fn read_streams(&self) -> impl Stream<Item = Result<RecordedEvent, Fault>> + Send + '_ {
        let first = ControlFlow::Continue((StreamId(Uuid::nil()), Version(i64::MIN)));
        stream::try_unfold(first, move |state| async move {
            let ControlFlow::Continue((stream_id, version)) = state else { return Ok::<_, Fault>(None) };
            let sql = format!(
                "select {COLUMNS} from events where (stream_id, version) > ($1, $2)
                  order by stream_id, version limit $3"
            );
            let page: Vec<RecordedEvent> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
                .bind(stream_id.0)
                .bind(version.0)
                .bind(i64::from(PAGE))
                .fetch_all(&self.pool)
                .await?;
            let next = match page.last() {
                Some(last) if page.len() == usize::from(PAGE) => ControlFlow::Continue((last.stream_id, last.version)),
                _ => ControlFlow::Break(()),
            };
            Ok(Some((stream::iter(page.into_iter().map(Ok::<_, Fault>)), next)))
        })
        .try_flatten()
    }

    /// One page of the log: up to `limit` events after a position, in order.
    pub async fn read_page(&self, after: Position, limit: u16) -> Result<Vec<RecordedEvent>, Fault> {
        page(&self.pool, after, limit).await
    }

    /// The log from a position to its end, in order, read page by page: memory is bounded by a
    /// page, and no snapshot is held between pages.
    pub fn read_log(&self, after: Position) -> impl Stream<Item = Result<RecordedEvent, Fault>> + Send + '_ {
        let first = ControlFlow::Continue(after);
        stream::try_unfold(first, move |state| async move {
            let ControlFlow::Continue(after) = state else { return Ok::<_, Fault>(None) };
            let page = self.read_page(after, PAGE).await?;
            let next = match page.last() {
                Some(last) if page.len() == usize::from(PAGE) => ControlFlow::Continue(last.position),
                _ => ControlFlow::Break(()),
            };
            Ok(Some((stream::iter(page.into_iter().map(Ok::<_, Fault>)), next)))
        })
        .try_flatten()
    }
}

pub(crate) async fn page(
    executor: impl PgExecutor<'_>,
    after: Position,
    limit: u16,
) -> Result<Vec<RecordedEvent>, Fault> {
    let sql = format!("select {COLUMNS} from events where position > $1 order by position limit $2");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(after.0).bind(i64::from(limit)).fetch_all(executor).await?)
}

pub(crate) async fn head(executor: impl PgExecutor<'_>) -> Result<Position, Fault> {
    let head = sqlx::query_scalar("select coalesce((select position from events order by position desc limit 1), 0)")
        .fetch_one(executor)
        .await?;
    Ok(Position(head))
}

/// Where an event of a command stands.
#[derive(FromRow)]
pub(crate) struct Located {
    #[sqlx(try_from = "i64")]
    pub(crate) position: Position,
    #[sqlx(try_from = "Uuid")]
    pub(crate) stream_id: StreamId,
    #[sqlx(try_from = "i64")]
    pub(crate) version: Version,
    pub(crate) command_id: Uuid,
    pub(crate) recorded_at: DateTime<Utc>,
}

/// The events of these streams, after a position, that these commands recorded.
pub(crate) async fn by_command(
    connection: &mut PgConnection,
    after: Position,
    streams: &[Uuid],
    commands: &[Uuid],
) -> Result<Vec<Located>, Fault> {
    let located = sqlx::query_as(
        "select position, stream_id, version, (metadata->>'command_id')::uuid as command_id, recorded_at
           from events
          where stream_id = any($1) and position > $2 and (metadata->>'command_id')::uuid = any($3)
          order by position",
    )
    .bind(streams)
    .bind(after.0)
    .bind(commands)
    .fetch_all(connection)
    .await?;
    Ok(located)
}

impl From<i64> for Position {
    fn from(position: i64) -> Self {
        Self(position)
    }
}

impl From<i64> for Version {
    fn from(version: i64) -> Self {
        Self(version)
    }
}

impl From<Uuid> for StreamId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl FromRow<'_, PgRow> for RecordedEvent {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            position: Position(row.try_get(0)?),
            stream_id: StreamId(row.try_get(1)?),
            version: Version(row.try_get(2)?),
            event_type: row.try_get(3)?,
            schema_version: row.try_get(4)?,
            payload: row.try_get(5)?,
            metadata: row.try_get(6)?,
            occurred_at: row.try_get(7)?,
            recorded_at: row.try_get(8)?,
        })
    }
}
