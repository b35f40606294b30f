//! The audit of a model with one row per record. It folds the log by itself, and compares chunks of rows, by id.

use std::pin::pin;

use eventstore::{RecordedEvent, StoreError, StreamId};
use futures_util::TryStreamExt;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

use super::row::{Folded, table};
use super::{Columns, Records, Step, decode};
use crate::fold;
use crate::generation::Generation;
use crate::verification::{Difference, Verification, fold_streams};

/// Records are compared in chunks of this size.
const CHUNK: usize = 1_000;

pub(super) async fn differences<M: Records>(
    verification: &mut Verification<'_>,
) -> Result<Vec<Difference>, StoreError> {
    let Verification { store, connection, generation, scope, progress } = verification;
    let rows = fold_streams(store, scope, *progress, apply::<M>).try_filter_map(|(stream, folded)| {
        // streams of other types have no rows
        std::future::ready(Ok(folded.map(|folded| (stream, folded.row::<M>(stream)))))
    });
    let mut chunks = pin!(rows.try_chunks(CHUNK));
    let mut differences = Vec::new();
    let mut after = None;
    loop {
        let chunk = chunks.try_next().await.map_err(|error| error.1)?.unwrap_or_default();
        // the last chunk has no end: whatever is stored behind it should not be there
        let last = (chunk.len() == CHUNK).then(|| chunk.last().map(|(stream, _)| stream.0)).flatten();
        let rows = chunk.into_iter().map(|(_, row)| row).collect();
        for (id, detail) in differing_rows::<M>(connection, *generation, (after, last), rows).await? {
            differences.push(Difference { projection: M::NAME, stream: Some(StreamId(id)), detail });
        }
        if last.is_none() {
            return Ok(differences);
        }
        after = last;
    }
}

fn apply<M: Records>(folded: &mut Option<Folded<M::Record>>, recorded: &RecordedEvent) {
    // the audit of the log reports what can't be decoded
    let Ok(Step(apply)) = decode::<M>(recorded) else { return };
    let before = folded.take().map(|folded| folded.record);
    if let Ok(record) = apply(before, &fold::recorded_stamp(recorded)) {
        *folded = Some(Folded { version: recorded.version, position: recorded.position, record });
    }
}

/// The rows with ids in this range that differ from the expected ones, and how.
async fn differing_rows<M: Records>(
    connection: &mut PgConnection,
    generation: Generation,
    (after, last): (Option<Uuid>, Option<Uuid>),
    expected: Vec<Columns>,
) -> Result<Vec<(Uuid, String)>, StoreError> {
    let table = table::<M>(generation);
    let sql = format!(
        "with expected as (select * from jsonb_populate_recordset(null::{table}, $1)),
              stored as (select * from {table} where ($2::uuid is null or id > $2) and ($3::uuid is null or id <= $3))
         select coalesce(e.id, s.id), case when e.id is not null then to_jsonb(e) end,
                case when s.id is not null then to_jsonb(s) end
           from expected e full join stored s on s.id = e.id
          where e is distinct from s order by 1"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(Json(expected)).bind(after).bind(last);
    let rows = query.fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, describe(row.try_get(1)?, row.try_get(2)?)))).collect()
}

fn describe(expected: Option<Json<Columns>>, stored: Option<Json<Columns>>) -> String {
    match (expected, stored) {
        (Some(_), None) => "the log has this record, the list has not".to_owned(),
        (None, _) => "the list has this record, the log has not".to_owned(),
        (Some(Json(expected)), Some(Json(stored))) => {
            let differs = expected.iter().find(|(column, value)| stored.get(*column) != Some(value));
            let column = differs.map_or("a column", |(column, _)| column.as_str());
            format!("column {column} in the list differs from the log")
        }
    }
}
