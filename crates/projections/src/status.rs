//! The state of the read models, measured against the true head of the log.

use chrono::{DateTime, Utc};
use eventstore::{Position, StoreError, StreamId, Version};
use serde::Serialize;
use sqlx::{PgPool, Row};

use crate::generation::Generation;

/// The state of one generation of a read model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// The read model.
    pub name: String,
    /// The number of the generation.
    pub generation: i32,
    /// The schema version it was created for.
    pub schema_version: i32,
    /// `live` or `building`.
    pub state: String,
    /// The position up to which it has read the log.
    pub position: Position,
    /// The last position of the log.
    pub head: Position,
    /// The number of events it has not read yet.
    pub lag_events: i64,
    /// The age of the oldest of them, in seconds; zero if there is none.
    pub lag_seconds: f64,
    /// Events per second, while it is being filled.
    pub rate: Option<f64>,
    /// Estimated seconds until it is filled.
    pub eta_seconds: Option<f64>,
    /// When it was started.
    pub started_at: DateTime<Utc>,
    /// How it compared with the generation it replaced.
    pub comparison: Option<String>,
    /// The number of parked streams.
    pub parked_streams: i64,
    /// The first hundred parked streams.
    pub faults: Vec<StreamFault>,
}

/// A parked stream: one that is passed over since an event could not be applied.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamFault {
    /// The id of the stream.
    pub stream: StreamId,
    /// The position of the event that could not be applied.
    pub position: Position,
    /// Its version in the stream.
    pub version: Version,
    /// Why it could not be applied.
    pub error: String,
    /// When the stream was parked.
    pub since: DateTime<Utc>,
}

/// All live and building generations, by name.
pub(crate) async fn all(pool: &PgPool) -> Result<Vec<Status>, StoreError> {
    let rows = sqlx::query(
        "select g.name, g.generation, g.schema_version, g.state, coalesce(c.position, 0) as position,
                coalesce((select e.position from events e order by e.position desc limit 1), 0) as head,
                coalesce((select extract(epoch from clock_timestamp() - e.recorded_at) from events e
                           where e.position = coalesce(c.position, 0) + 1), 0)::double precision as lag_seconds,
                g.events_per_second, g.started_at, g.comparison,
                (select count(*) from subscriptions.parked p
                  where p.checkpoint = g.name || '@' || g.generation) as parked
           from read_models.generations g
           left join checkpoints c on c.name = g.name || '@' || g.generation
          where g.state <> 'retired' order by g.name, g.generation",
    )
    .fetch_all(pool)
    .await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let (position, head): (i64, i64) = (row.try_get("position")?, row.try_get("head")?);
        let lag_events = (head - position).max(0);
        let rate: Option<f64> = row.try_get("events_per_second")?;
        let mut status = Status {
            name: row.try_get("name")?,
            generation: row.try_get("generation")?,
            schema_version: row.try_get("schema_version")?,
            state: row.try_get("state")?,
            position: Position(position),
            head: Position(head),
            lag_events,
            lag_seconds: row.try_get::<f64, _>("lag_seconds")?.max(0.0),
            rate,
            eta_seconds: rate.filter(|rate| *rate > 0.0).map(|rate| as_f64(lag_events) / rate),
            started_at: row.try_get("started_at")?,
            comparison: row.try_get("comparison")?,
            parked_streams: row.try_get("parked")?,
            faults: Vec::new(),
        };
        if status.parked_streams > 0 {
            status.faults = faults(pool, &Generation(status.generation).checkpoint(&status.name)).await?;
        }
        all.push(status);
    }
    Ok(all)
}

async fn faults(pool: &PgPool, checkpoint: &str) -> Result<Vec<StreamFault>, StoreError> {
    let rows = sqlx::query(
        "select stream_id, position, version, error, since from subscriptions.parked
          where checkpoint = $1 order by position limit 100",
    )
    .bind(checkpoint)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(StreamFault {
                stream: StreamId(row.try_get(0)?),
                position: Position(row.try_get(1)?),
                version: Version(row.try_get(2)?),
                error: row.try_get(3)?,
                since: row.try_get(4)?,
            })
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn as_f64(number: i64) -> f64 {
    number as f64
}
