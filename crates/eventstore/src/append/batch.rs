//! A batch: from units to the arrays of `eventstore_append`, and from its answer to theirs.

use std::collections::{HashSet, VecDeque};

use chrono::{DateTime, Utc};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo};
use sqlx::{Executor, PgConnection, Postgres};
use uuid::Uuid;

use super::heads::{Head, Heads};
use super::{Answer, Appended, Job, Outcome};
use crate::session::Session;
use crate::{AppendError, Expected, Position, Receipt, StreamId, Unit, Version};

/// Takes from the queue what may travel together: at most one unit a stream, a receipt key and an
/// alias. What has to wait keeps its turn, and so does what comes after it for the same stream.
pub(super) fn take(waiting: &mut VecDeque<Job>, limit: usize) -> Vec<Job> {
    let mut seen: HashSet<(String, String)> = HashSet::new();
    let mut streams: HashSet<StreamId> = HashSet::new();
    let mut batch = Vec::with_capacity(waiting.len().min(limit));
    let mut later = VecDeque::new();
    while let Some(job) = waiting.pop_front() {
        let unit = &job.unit;
        let mut free = batch.len() < limit;
        for append in &unit.appends {
            free &= streams.insert(append.stream_id);
        }
        if let Some(receipt) = &unit.receipt {
            free &= seen.insert((format!("receipt {}", receipt.caller), receipt.key.clone()));
        }
        for alias in &unit.aliases {
            free &= seen.insert((format!("alias {}", alias.scope), alias.name.clone()));
        }
        if free { batch.push(job) } else { later.push_back(job) }
    }
    *waiting = later;
    batch
}

#[derive(sqlx::Type)]
#[sqlx(type_name = "eventstore_replay")]
struct Replay {
    unit: i32,
    fingerprint: Vec<u8>,
    stream_id: Uuid,
    version: i64,
    position: i64,
    status: i16,
}

#[derive(sqlx::Type)]
#[sqlx(type_name = "eventstore_taken")]
struct Taken {
    unit: i32,
    scope: String,
    stream_id: Uuid,
}

/// What the function answers for a batch.
#[derive(sqlx::FromRow)]
pub(super) struct Verdict {
    head: i64,
    known: bool,
    recorded_at: DateTime<Utc>,
    versions: Vec<i64>,
    refused: Option<Vec<i32>>,
    replayed: Option<Vec<Replay>>,
    taken: Option<Vec<Taken>>,
    backwards: Option<Vec<i32>>,
}

#[derive(Default)]
struct Columns<'a> {
    stream_unit: Vec<i32>,
    stream_ids: Vec<Uuid>,
    stream_expected: Vec<Option<i64>>,
    stream_known: Vec<Option<i64>>,
    stream_events: Vec<i32>,
    stream_last: Vec<i32>,
    event_stream: Vec<i32>,
    event_step: Vec<i32>,
    event_type: Vec<&'a str>,
    event_schema: Vec<i16>,
    event_payload: Vec<JsonText<'a>>,
    event_metadata: Vec<JsonText<'a>>,
    event_occurred_at: Vec<DateTime<Utc>>,
    receipt_unit: Vec<i32>,
    receipt_stream: Vec<i32>,
    receipt_caller: Vec<&'a str>,
    receipt_key: Vec<&'a str>,
    receipt_fingerprint: Vec<&'a [u8]>,
    receipt_status: Vec<i16>,
    alias_unit: Vec<i32>,
    alias_stream: Vec<i32>,
    alias_scope: Vec<&'a str>,
    alias_name: Vec<&'a str>,
}

/// A JSON text that goes to the database as it is.
struct JsonText<'a>(&'a str);

impl sqlx::Type<Postgres> for JsonText<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("json")
    }
}

impl PgHasArrayType for JsonText<'_> {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::array_of("json")
    }
}

impl sqlx::Encode<'_, Postgres> for JsonText<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

/// The n-th entry of an array, as SQL counts.
fn entry(index: usize) -> i32 {
    int(index + 1)
}

/// A batch is far smaller than `i32::MAX`.
fn int(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

impl<'a> Columns<'a> {
    fn of(batch: &'a [Job], heads: &Heads) -> Self {
        let mut columns = Self::default();
        for (index, job) in batch.iter().enumerate() {
            columns.push(entry(index), job, heads);
        }
        columns
    }

    fn push(&mut self, number: i32, Job { unit, metadata, .. }: &'a Job, heads: &Heads) {
        let first_stream = self.stream_ids.len();
        for append in &unit.appends {
            let stream = entry(self.stream_ids.len());
            self.stream_unit.push(number);
            self.stream_ids.push(append.stream_id.0);
            self.stream_expected.push(match append.expected {
                #[cfg(feature = "planted-bugs")]
                _ if crate::planted::is(crate::planted::BLIND_APPEND) => None,
                Expected::Any => None,
                Expected::Exact(version) => Some(version.0),
            });
            self.stream_known.push(heads.fitting(append).map(|version| version.0));
            self.stream_events.push(int(append.events.len()));
            for (step, event) in append.events.iter().enumerate() {
                self.event_stream.push(stream);
                self.event_step.push(entry(step));
                self.event_type.push(&event.event_type);
                self.event_schema.push(event.schema_version);
                self.event_payload.push(JsonText(&event.payload));
                self.event_metadata.push(JsonText(metadata));
                self.event_occurred_at.push(event.occurred_at);
            }
            self.stream_last.push(if append.events.is_empty() { 0 } else { int(self.event_type.len()) });
        }
        if let Some(receipt) = &unit.receipt {
            self.receipt_unit.push(number);
            self.receipt_stream.push(entry(first_stream));
            self.receipt_caller.push(&receipt.caller);
            self.receipt_key.push(&receipt.key);
            self.receipt_fingerprint.push(&receipt.fingerprint);
            self.receipt_status.push(receipt.status);
        }
        for alias in &unit.aliases {
            let own = unit.appends.iter().position(|a| a.stream_id == alias.stream_id).unwrap_or_default();
            self.alias_unit.push(number);
            self.alias_stream.push(entry(first_stream + own));
            self.alias_scope.push(&alias.scope);
            self.alias_name.push(&alias.name);
        }
    }
}

/// Sends the units in one statement, which is one transaction.
pub(super) async fn send(session: &mut Session, batch: &[Job]) -> Result<Verdict, sqlx::Error> {
    let Session { connection, heads, .. } = session;
    let (c, log) = (Columns::of(batch, heads), heads.log());
    #[cfg(feature = "planted-bugs")]
    crate::planted::begin(connection).await?;
    let mut rows = sqlx::query_as::<_, Verdict>(
        "select * from eventstore_append($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25)",
    )
    .bind(log.map(|head| head.position.0))
    .bind(log.map(|head| head.recorded_at))
    .bind(c.stream_unit)
    .bind(c.stream_ids)
    .bind(c.stream_expected)
    .bind(c.stream_known)
    .bind(c.stream_events)
    .bind(c.stream_last)
    .bind(c.event_stream)
    .bind(c.event_step)
    .bind(c.event_type)
    .bind(c.event_schema)
    .bind(c.event_payload)
    .bind(c.event_metadata)
    .bind(c.event_occurred_at)
    .bind(c.receipt_unit)
    .bind(c.receipt_stream)
    .bind(c.receipt_caller)
    .bind(c.receipt_key)
    .bind(c.receipt_fingerprint)
    .bind(c.receipt_status)
    .bind(c.alias_unit)
    .bind(c.alias_stream)
    .bind(c.alias_scope)
    .bind(c.alias_name)
    // `fetch_all`, not `fetch_one`: the row comes before the commit, and only the end of the
    // answer (ReadyForQuery) tells that the commit has happened
    .fetch_all(&mut *connection)
    .await?;
    rows.pop().ok_or(sqlx::Error::RowNotFound)
}

/// Whether an append would get the locks that it needs. In one transaction, as statements sent together are.
pub(super) async fn probe(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let sql = "select pg_advisory_xact_lock(eventstore_lock()); lock table events in row exclusive mode";
    connection.execute(sql).await.map(drop)
}

impl Verdict {
    /// The answer for each unit, in order, and the last position after the batch. What it tells of the streams is kept.
    pub(super) fn answers(self, batch: &[Job], heads: &mut Heads) -> (Vec<Answer>, Position) {
        let mut last = self.head;
        let mut versions = self.versions.iter().copied();
        let answers = batch
            .iter()
            .enumerate()
            .map(|(index, job)| {
                let current = versions.by_ref().take(job.unit.appends.len()).map(Version).collect::<Vec<_>>();
                match self.refusal(entry(index), &job.unit, &current) {
                    Some(refusal) => refusal,
                    None => Ok(Outcome::Appended(self.appended(&job.unit, &current, &mut last))),
                }
            })
            .collect::<Vec<_>>();
        let head = Head { position: Position(last), recorded_at: self.recorded_at };
        heads.learn(self.known, (last > self.head).then_some(head), batch, &answers);
        (answers, Position(last))
    }

    fn appended(&self, unit: &Unit, current: &[Version], last: &mut i64) -> Appended {
        let mut count = 0;
        let versions = unit
            .appends
            .iter()
            .zip(current)
            .map(|(append, version)| {
                let events = i64::from(int(append.events.len()));
                count += events;
                (append.stream_id, Version(version.0 + events))
            })
            .collect();
        let before = *last;
        *last += count;
        Appended {
            first: (count > 0).then_some(Position(before + 1)),
            last: (count > 0).then_some(Position(*last)),
            versions,
            recorded_at: self.recorded_at,
        }
    }

    /// A receipt goes before everything else: a retry is a replay, even where its expected version
    /// has gone stale.
    fn refusal(&self, number: i32, unit: &Unit, current: &[Version]) -> Option<Answer> {
        if !self.refused.iter().flatten().any(|n| *n == number) {
            return None;
        }
        if let Some(r) = self.replayed.iter().flatten().find(|r| r.unit == number) {
            return Some(Ok(Outcome::Replayed(Receipt {
                fingerprint: r.fingerprint.clone(),
                stream_id: StreamId(r.stream_id),
                version: Version(r.version),
                position: Position(r.position),
                status: r.status,
            })));
        }
        let conflict = unit.appends.iter().zip(current).find(|(append, version)| match append.expected {
            Expected::Any => false,
            Expected::Exact(expected) => expected != **version,
        });
        if let Some((append, version)) = conflict {
            return Some(Err(AppendError::Conflict { stream_id: append.stream_id, current: *version }));
        }
        if let Some(taken) = self.taken.iter().flatten().find(|t| t.unit == number) {
            return Some(Err(AppendError::AliasTaken {
                scope: taken.scope.clone(),
                holder: StreamId(taken.stream_id),
            }));
        }
        debug_assert!(self.backwards.iter().flatten().any(|n| *n == number), "refused without a reason");
        Some(Err(AppendError::TimeRunsBackwards))
    }
}
