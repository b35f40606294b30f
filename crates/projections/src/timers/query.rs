//! Reads the timers that are due, and keeps those that are held back.

use std::time::Duration;

use eventsourcing::timers::{Backlog, DueTimers, DueTimes, Timer};
use eventstore::{Position, StoreError, StreamId, StreamType, Version};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgPool, Row};

use super::{NAME, Timers};
use crate::error::ReadError;
use crate::generation::Generation;
use crate::generations;
use crate::reader::{AtLeast, Reader};

/// Any position will do, and while the model is built for the first time nothing is due.
const NOW: AtLeast = AtLeast { position: Position(0), wait: Duration::ZERO };

/// The due times, for the leader of the timers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TimersReader(Reader);

impl Reader {
    /// The due times.
    pub fn timers(&self) -> TimersReader {
        TimersReader(self.clone())
    }
}

impl DueTimes for TimersReader {
    async fn due(&self, limit: usize) -> Result<DueTimers, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let pool = self.0.pool();
        let due = self
            .0
            .query(&Timers, NOW, |due: &DueTimers| due.position, |generation| Box::pin(due(pool, generation, limit)))
            .await;
        match due {
            Ok(due) => Ok(due),
            Err(ReadError::Behind { .. }) => Ok(DueTimers::default()),
            Err(ReadError::Store(error)) => Err(error),
            Err(error @ (ReadError::InvalidCursor | ReadError::UnreadableRow(_))) => {
                Err(StoreError::Corrupt(error.to_string()))
            }
        }
    }

    async fn hold_back(
        &self,
        timer: &Timer,
        outcome: &'static str,
        reason: &str,
        pause: Duration,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "insert into read_models.timer_backoffs (stream_id, kind, set_by, attempts, outcome, reason, since, retry_at)
             values ($1, $2, $3, 1, $4, $5, now(), clock_timestamp() + make_interval(secs => $6))
             on conflict on constraint timer_backoffs_pkey do update
                set attempts = timer_backoffs.attempts + 1, outcome = excluded.outcome, reason = excluded.reason,
                    retry_at = excluded.retry_at",
        )
        .bind(timer.stream.0)
        .bind(&timer.kind)
        .bind(timer.set_by.0)
        .bind(outcome)
        // PostgreSQL's `text` can't hold U+0000
        .bind(reason.replace('\0', "\u{fffd}"))
        .bind(pause.as_secs_f64())
        .execute(self.0.pool())
        .await?;
        Ok(())
    }

    async fn release(&self, timer: &Timer) -> Result<(), StoreError> {
        sqlx::query("delete from read_models.timer_backoffs where stream_id = $1 and kind = $2 and set_by = $3")
            .bind(timer.stream.0)
            .bind(&timer.kind)
            .bind(timer.set_by.0)
            .execute(self.0.pool())
            .await?;
        Ok(())
    }

    async fn remove_stale(&self) -> Result<(), StoreError> {
        let Some(live) = generations::live(self.0.pool(), NAME).await? else { return Ok(()) };
        let sql = format!(
            "delete from read_models.timer_backoffs b
              where not exists (select from read_models.timers_{} t
                                 where t.stream_id = b.stream_id and t.kind = b.kind and t.set_by = b.set_by)",
            live.generation
        );
        sqlx::query(AssertSqlSafe(sql)).execute(self.0.pool()).await?;
        Ok(())
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let pool = self.0.pool();
        let Some(live) = generations::live(pool, NAME).await? else { return Ok(Backlog::default()) };
        let sql = format!(
            "select (select count(*) from read_models.timer_backoffs), count(*),
                    coalesce(extract(epoch from clock_timestamp() - min(t.due_at)), 0)::double precision
               from read_models.timers_{} t
              where t.due_at <= clock_timestamp() and {FREE}",
            live.generation
        );
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(pool).await?;
        Ok(Backlog {
            held_back: row.try_get::<i64, _>(0)?.unsigned_abs(),
            overdue: row.try_get::<i64, _>(1)?.unsigned_abs(),
            lateness: Duration::try_from_secs_f64(row.try_get(2)?).unwrap_or_default(),
        })
    }
}

/// A timer `t` is not held back.
const FREE: &str = "not exists (select from read_models.timer_backoffs b
                                 where b.stream_id = t.stream_id and b.kind = t.kind and b.set_by = t.set_by
                                   and b.retry_at > clock_timestamp())";

/// Reads timers and position in one snapshot. `None`: the generation is no longer live.
async fn due(pool: &PgPool, generation: Generation, limit: i64) -> Result<Option<DueTimers>, ReadError> {
    let sql = format!(
        "with at as (
           select c.position, clock_timestamp() as now from checkpoints c where c.name = $1
              and exists (select from read_models.generations g
                           where g.name = 'timers' and g.state = 'live' and g.generation = $2)
         ), next as (
           select t.due_at from read_models.timers_{generation} t, at where t.due_at > at.now order by t.due_at limit 1
         )
         select at.position, extract(epoch from (select due_at from next) - at.now)::double precision as next_in,
                due.stream_id, due.kind, due.stream_type, due.set_by, due.due_at, due.attempts
           from at left join lateral (
             select t.*, coalesce((select b.attempts from read_models.timer_backoffs b
                                    where b.stream_id = t.stream_id and b.kind = t.kind and b.set_by = t.set_by), 0) as attempts
               from read_models.timers_{generation} t
              where t.due_at <= at.now and {FREE}
              order by t.due_at, t.stream_id limit $3
           ) due on true
          order by due.due_at, due.stream_id"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(generation.checkpoint(NAME)).bind(generation.0).bind(limit);
    let rows = query.fetch_all(pool).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let next_in: Option<f64> = first.try_get("next_in")?;
    Ok(Some(DueTimers {
        position: Position(first.try_get("position")?),
        next_in: next_in.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        timers: rows.iter().filter_map(|row| timer(row).transpose()).collect::<Result<_, _>>()?,
    }))
}

/// `None`: nothing is due, and the row has nothing but the position.
fn timer(row: &PgRow) -> Result<Option<Timer>, ReadError> {
    let Some(stream) = row.try_get("stream_id")? else { return Ok(None) };
    let stream_type: String = row.try_get("stream_type")?;
    let stream_type = StreamType::try_from(stream_type).map_err(|error| ReadError::UnreadableRow(error.to_string()))?;
    Ok(Some(Timer {
        due_at: row.try_get("due_at")?,
        stream: StreamId(stream),
        stream_type,
        set_by: Version(row.try_get("set_by")?),
        kind: row.try_get("kind")?,
        attempts: u32::try_from(row.try_get::<i32, _>("attempts")?).unwrap_or_default(),
    }))
}
