//! The audit of `timers`: it folds each ticket of the log as a whole, and holds its timer against the row.

use std::collections::HashMap;
use std::pin::pin;

use eventstore::{RecordedEvent, StoreError};
use futures_util::TryStreamExt;
use shared_kernel::Aggregate;
use sqlx::{AssertSqlSafe, PgConnection};
use ticket_aggregate::Ticket;
use uuid::Uuid;

use super::NAME;
use super::columns::TimerRow;
use super::due::{Occurrence, after};
use crate::fold;
use crate::generation::Generation;
use crate::verification::{Difference, Verification, fold_streams};

/// Streams are compared in chunks of this size.
const CHUNK: usize = 1_000;

/// A ticket and its timer according to the log.
#[derive(Debug, Default)]
struct Expected {
    ticket: Option<Ticket>,
    timer: Option<TimerRow>,
}

impl Expected {
    fn apply(&mut self, recorded: &RecordedEvent) {
        if recorded.stream_type.as_str() != Ticket::TYPE {
            return;
        }
        // the audit of the log reports what can't be decoded
        let Ok(event) = fold::decode::<Ticket>(recorded) else { return };
        self.ticket = fold::apply_recorded::<Ticket>(self.ticket.take(), recorded, &event);
        let at = Occurrence {
            stream: recorded.stream_id,
            version: recorded.version,
            occurred_at: recorded.occurred_at,
            recorded_at: recorded.recorded_at,
        };
        self.timer = self.ticket.as_ref().and_then(|ticket| after(self.timer.as_ref(), ticket, &at));
    }
}

pub(super) async fn differences(verification: &mut Verification<'_>) -> Result<Vec<Difference>, StoreError> {
    let Verification { store, connection, generation, scope, progress } = verification;
    let (mut differences, mut matched) = (Vec::new(), 0);
    let mut chunks = pin!(fold_streams(store, scope, *progress, Expected::apply).try_chunks(CHUNK));
    while let Some(chunk) = chunks.try_next().await.map_err(|error| error.1)? {
        let streams = chunk.iter().map(|(stream, _)| stream.0).collect();
        let mut stored = stored_rows(connection, *generation, streams).await?;
        for (stream, expected) in chunk {
            let rows = stored.remove(&stream.0).unwrap_or_default();
            matched += rows.len();
            if let Some(detail) = compare(expected.timer.as_ref(), &rows) {
                differences.push(Difference { projection: NAME, stream: Some(stream), detail });
            }
        }
    }
    let sql = format!("select count(*) from read_models.timers_{generation}");
    let all: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await?;
    let others = usize::try_from(all).unwrap_or_default().saturating_sub(matched);
    if others > 0 {
        let detail = format!("{others} timers are of streams that the log does not have");
        differences.push(Difference { projection: NAME, stream: None, detail });
    }
    Ok(differences)
}

/// Describes how the rows of a stream differ from the log; `None` if they don't.
fn compare(expected: Option<&TimerRow>, rows: &[TimerRow]) -> Option<String> {
    match (expected, rows) {
        (None, []) => None,
        (Some(expected), [row]) => {
            let column = row.differing_column(expected)?;
            Some(format!("column {column} of the timer differs from the log"))
        }
        (Some(_), []) => Some("the log has a timer, the read model has none".to_owned()),
        (None, _) => Some("the read model has a timer, the log has none".to_owned()),
        (Some(_), rows) => Some(format!("the read model has {} timers, the log has one", rows.len())),
    }
}

async fn stored_rows(
    connection: &mut PgConnection,
    generation: Generation,
    streams: Vec<Uuid>,
) -> Result<HashMap<Uuid, Vec<TimerRow>>, StoreError> {
    let columns = TimerRow::COLUMNS.names();
    let sql = format!("select {columns} from read_models.timers_{generation} where stream_id = any($1)");
    let rows: Vec<TimerRow> = sqlx::query_as(AssertSqlSafe(sql)).bind(streams).fetch_all(connection).await?;
    let mut by_stream: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows {
        by_stream.entry(row.stream_id).or_default().push(row);
    }
    Ok(by_stream)
}
