//! Reading streams and the log.

use std::future::ready;

use chrono::{DateTime, Utc};
use futures_util::{Stream, TryStreamExt, stream};
use sqlx::{FromRow, PgConnection, PgExecutor, PgPool, Row, postgres::PgRow};
use uuid::Uuid;

use crate::pages::{PageSize, flat, pages};
use crate::range::StreamTypes;
use crate::{EventStore, LogRange, Position, RecordedEvent, StoreError, StreamId, StreamRange, StreamType, Version};

/// The events of the first page; most streams end within it.
const FIRST: u16 = 32;
/// The size of a page in bytes, about: small for a stream, and for the log large enough that the round trip doesn't count.
const STREAM_PAGE: usize = 1024 * 1024;
const LOG_PAGE: usize = 8 * 1024 * 1024;

const COLUMNS: &str = "position, stream_id, stream_type, version, type, schema_version, payload::text as payload, \
                       metadata::text as metadata, occurred_at, recorded_at";

impl EventStore {
    /// The events of a stream in order, all at once; empty if there is no such stream. [`Self::stream_pages`] bounds memory.
    pub async fn read_stream(&self, stream: StreamId, range: StreamRange) -> Result<Vec<RecordedEvent>, StoreError> {
        self.stream_pages(stream, range).try_concat().await
    }

    /// The events of a stream, in order, page by page; no page is empty.
    pub fn stream_pages(
        &self,
        stream: StreamId,
        range: StreamRange,
    ) -> impl Stream<Item = Result<Vec<RecordedEvent>, StoreError>> + Send + '_ {
        let read = move |after, limit| self.stream_page(stream, StreamRange { after, ..range }, limit);
        pages(range.after, PageSize::new(FIRST, 1_000, STREAM_PAGE), |last| last.version, read)
    }

    pub(crate) async fn stream_page(
        &self,
        stream: StreamId,
        range: StreamRange,
        limit: u16,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let sql = format!(
            "select {COLUMNS} from events where stream_id = $1 and version > $2
                and version <= coalesce($3, 9223372036854775807)
                and occurred_at <= coalesce($4, 'infinity'::timestamptz)
                and ($5::text is null or stream_type = $5)
              order by version limit $6"
        );
        let page = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(stream.0)
            .bind(range.after.0)
            .bind(range.until_version.map(|v| v.0))
            .bind(range.until_time)
            .bind(range.stream_type.as_ref().map(StreamType::as_str))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        Ok(page)
    }

    /// All streams, one after the other, each in order: for audits that hold one stream's state at a time.
    pub fn read_streams(&self) -> impl Stream<Item = Result<RecordedEvent, StoreError>> + Send + '_ {
        let sql = format!(
            "select {COLUMNS} from events where (stream_id, version) > ($1, $2)
              order by stream_id, version limit $3"
        );
        let read = move |(stream, version): (StreamId, Version), limit: u16| {
            sqlx::query_as(sqlx::AssertSqlSafe(sql.clone()))
                .bind(stream.0)
                .bind(version.0)
                .bind(i64::from(limit))
                .fetch_all(&self.pool)
        };
        let first = (StreamId(Uuid::nil()), Version(i64::MIN));
        flat(pages(first, PageSize::new(FIRST, 1_000, LOG_PAGE), |last| (last.stream_id, last.version), read))
    }

    /// One page of the log: up to `limit` events after a position, in order.
    pub async fn read_page(&self, after: Position, limit: u16) -> Result<Vec<RecordedEvent>, StoreError> {
        page(&self.pool, after, limit).await
    }

    /// The log after a position to its end, in order, in pages of up to `most` events; none is empty. No snapshot is
    /// held between pages.
    pub fn log_pages(
        &self,
        range: impl Into<LogRange>,
        most: u16,
    ) -> impl Stream<Item = Result<Vec<RecordedEvent>, StoreError>> + Send + '_ {
        let LogRange { after, types } = range.into();
        let from = Some((after, PageSize::new(FIRST, most, LOG_PAGE)));
        let scans = stream::try_unfold(from, move |from| {
            let types = types.clone();
            async move {
                let Some((after, size)) = from else { return Ok(None) };
                let Scan { events, through, ended } = scan(&self.pool, after, &types, size.events()).await?;
                let next = (!ended).then(|| (through, size.after(&events)));
                Ok::<_, StoreError>(Some((events, next)))
            }
        });
        scans.try_filter(|page| ready(!page.is_empty()))
    }

    /// The same, event by event.
    pub fn read_log(
        &self,
        range: impl Into<LogRange>,
    ) -> impl Stream<Item = Result<RecordedEvent, StoreError>> + Send + '_ {
        flat(self.log_pages(range, 1_000))
    }
}

/// The result of looking through a part of the log.
pub(crate) struct Scan {
    /// The selected events.
    pub(crate) events: Vec<RecordedEvent>,
    /// The position where the part ends.
    pub(crate) through: Position,
    /// Whether the log ends there.
    pub(crate) ended: bool,
}

/// Looks through the next `limit` positions after one.
pub(crate) async fn scan(pool: &PgPool, after: Position, types: &StreamTypes, limit: u16) -> Result<Scan, StoreError> {
    let Some(names) = types.names() else {
        let events = page(pool, after, limit).await?;
        let through = events.last().map_or(after, |last| last.position);
        return Ok(Scan { ended: events.len() < usize::from(limit), events, through });
    };
    // before the events are read: what is appended meanwhile is not passed over
    let head = head(pool).await?;
    let through = Position(after.0 + i64::from(limit)).min(head).max(after);
    let sql = format!(
        "select {COLUMNS} from events where position > $1 and position <= $2 and stream_type = any($3) order by position"
    );
    let events =
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(after.0).bind(through.0).bind(names).fetch_all(pool).await?;
    Ok(Scan { events, through, ended: through >= head })
}

pub(crate) async fn page(
    executor: impl PgExecutor<'_>,
    after: Position,
    limit: u16,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let sql = format!("select {COLUMNS} from events where position > $1 order by position limit $2");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(after.0).bind(i64::from(limit)).fetch_all(executor).await?)
}

pub(crate) async fn head(executor: impl PgExecutor<'_>) -> Result<Position, StoreError> {
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
) -> Result<Vec<Located>, StoreError> {
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
            stream_type: row
                .try_get::<&str, _>(2)?
                .parse()
                .map_err(|invalid| sqlx::Error::Decode(Box::new(invalid)))?,
            version: Version(row.try_get(3)?),
            event_type: row.try_get(4)?,
            schema_version: row.try_get(5)?,
            payload: row.try_get(6)?,
            metadata: row.try_get(7)?,
            occurred_at: row.try_get(8)?,
            recorded_at: row.try_get(9)?,
        })
    }
}
