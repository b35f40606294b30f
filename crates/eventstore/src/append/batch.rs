//! A batch: which units travel together, how they are sent, and how the answer of `eventstore_append` becomes theirs.

use std::collections::{HashSet, VecDeque};

use chrono::{DateTime, Utc};
use sqlx::{Executor, PgConnection};
use uuid::Uuid;

use super::columns::{Columns, int, sql_index};
use super::head_cache::{Head, HeadCache};
use super::{Answer, Appended, Job, Outcome};
use crate::{Alias, AppendError, Expected, Position, Receipt, StoreError, StreamId, Unit, Version};

/// Takes from the queue what may travel together. A batch is judged against the log before it, so that it holds at most one
/// unit for each appended stream, receipt key and alias, and no unit that demands a stream after one that appends to it.
/// A unit that has to wait keeps its turn: later units for its streams wait as well.
pub(super) fn take(waiting: &mut VecDeque<Job>, limit: usize) -> Vec<Job> {
    let mut claims = Claims::default();
    let mut batch = Vec::with_capacity(waiting.len().min(limit));
    let mut later = VecDeque::new();
    while let Some(job) = waiting.pop_front() {
        let free = claims.claim(&job.unit) && batch.len() < limit;
        if free {
            batch.push(job);
        } else {
            claims.awaited.extend(job.unit.demands.iter().map(|demand| demand.stream_id));
            later.push_back(job);
        }
    }
    *waiting = later;
    batch
}

/// What the units so far append to or take, whether they are in the batch or wait.
#[derive(Default)]
struct Claims {
    streams: HashSet<StreamId>,
    /// Streams that units which wait demand: a later append would overtake them.
    awaited: HashSet<StreamId>,
    names: HashSet<(String, String)>,
}

impl Claims {
    /// Whether nobody before has claimed what the unit appends to, demands or takes. All of it that it changes is claimed now.
    fn claim(&mut self, unit: &Unit) -> bool {
        let mut free = unit.demands.iter().all(|demand| !self.streams.contains(&demand.stream_id));
        for append in &unit.appends {
            free &= self.streams.insert(append.stream_id) && !self.awaited.contains(&append.stream_id);
        }
        if let Some(receipt) = &unit.receipt {
            free &= self.names.insert((format!("receipt {}", receipt.caller), receipt.key.clone()));
        }
        let key = |alias: &Alias| (format!("alias {}", alias.scope), alias.name.clone());
        let released: HashSet<_> = unit.releases.iter().map(key).collect();
        for taken in unit.takes.iter().map(key).filter(|taken| !released.contains(taken)) {
            free &= self.names.insert(taken);
        }
        for released in released {
            free &= self.names.insert(released);
        }
        free
    }
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
#[sqlx(type_name = "eventstore_alias_holder")]
struct AliasHolder {
    unit: i32,
    scope: String,
    stream_id: Option<Uuid>,
}

/// The result row of `eventstore_append` for a batch.
#[derive(sqlx::FromRow)]
pub(super) struct Verdict {
    head: i64,
    known: bool,
    recorded_at: DateTime<Utc>,
    versions: Vec<i64>,
    types: Option<Vec<Option<String>>>,
    demanded: Option<Vec<i64>>,
    refused: Option<Vec<i32>>,
    replayed: Option<Vec<Replay>>,
    taken: Option<Vec<AliasHolder>>,
    unheld: Option<Vec<AliasHolder>>,
    backwards: Option<Vec<i32>>,
}

/// Sends the units as one statement, which is one transaction.
pub(super) async fn send(
    connection: &mut PgConnection,
    heads: &HeadCache,
    batch: &[Job],
) -> Result<Verdict, sqlx::Error> {
    let (c, log) = (Columns::of(batch, heads), heads.log());
    #[cfg(feature = "planted-bugs")]
    crate::planted::begin(connection).await?;
    let mut rows = sqlx::query_as::<_, Verdict>(
        "select * from eventstore_append($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,
                                         $25,$26,$27,$28,$29,$30,$31,$32,$33,$34)",
    )
    .bind(log.map(|head| head.position.0))
    .bind(log.map(|head| head.recorded_at))
    .bind(c.stream_unit)
    .bind(c.stream_ids)
    .bind(c.stream_type)
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
    .bind(c.demand_unit)
    .bind(c.demand_stream)
    .bind(c.demand_version)
    .bind(c.receipt_unit)
    .bind(c.receipt_stream)
    .bind(c.receipt_caller)
    .bind(c.receipt_key)
    .bind(c.receipt_fingerprint)
    .bind(c.receipt_status)
    .bind(c.receipt_permanent)
    .bind(c.alias_unit)
    .bind(c.alias_stream)
    .bind(c.alias_scope)
    .bind(c.alias_name)
    .bind(c.release_unit)
    .bind(c.release_stream)
    .bind(c.release_scope)
    .bind(c.release_name)
    // `fetch_all`, not `fetch_one`: the row comes before the commit, and only the end of the response
    // (ReadyForQuery) says that the commit has happened
    .fetch_all(&mut *connection)
    .await?;
    rows.pop().ok_or(sqlx::Error::RowNotFound)
}

/// Tries whether an append would get its locks. Statements that are sent together are one transaction.
pub(super) async fn probe(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let sql = "select pg_advisory_xact_lock(eventstore_lock()); lock table events in row exclusive mode";
    connection.execute(sql).await.map(drop)
}

impl Verdict {
    /// The answer for each unit, in order, and the last position after the batch. The cache takes over what it says of the streams.
    pub(super) fn answers(self, batch: &[Job], heads: &mut HeadCache) -> (Vec<Answer>, Position) {
        let mut last = self.head;
        let (mut streams, mut demands) = (0, 0);
        let answers = batch
            .iter()
            .enumerate()
            .map(|(index, job)| {
                let at = Entries { unit: sql_index(index), streams, demands };
                (streams, demands) = (streams + job.unit.appends.len(), demands + job.unit.demands.len());
                match self.refusal(&at, &job.unit) {
                    Some(refusal) => refusal,
                    None => Ok(Outcome::Appended(self.appended(&job.unit, &self.versions[at.streams..], &mut last))),
                }
            })
            .collect::<Vec<_>>();
        let head = Head { position: Position(last), recorded_at: self.recorded_at };
        heads.update(self.known, (last > self.head).then_some(head), batch, &answers);
        (answers, Position(last))
    }

    fn appended(&self, unit: &Unit, current: &[i64], last: &mut i64) -> Appended {
        let mut count = 0;
        let versions = unit
            .appends
            .iter()
            .zip(current)
            .map(|(append, version)| {
                let events = i64::from(int(append.events.len()));
                count += events;
                (append.stream_id, Version(version + events))
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

    /// A receipt comes before everything else: a retry is a replay, even if its expected version has gone stale.
    fn refusal(&self, at: &Entries, unit: &Unit) -> Option<Answer> {
        let number = at.unit;
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
        if let Some(error) = self.mismatch(at, unit).or_else(|| self.conflict(at, unit)) {
            return Some(Err(error));
        }
        let of_unit = |holders: &Option<Vec<AliasHolder>>| {
            let holder = holders.iter().flatten().find(|holder| holder.unit == number)?;
            Some((holder.scope.clone(), holder.stream_id.map(StreamId)))
        };
        if let Some((scope, holder)) = of_unit(&self.unheld) {
            return Some(Err(AppendError::AliasNotHeld { scope, holder }));
        }
        if let Some((scope, Some(holder))) = of_unit(&self.taken) {
            return Some(Err(AppendError::AliasTaken { scope, holder }));
        }
        debug_assert!(self.backwards.iter().flatten().any(|n| *n == number), "refused without a reason");
        Some(Err(AppendError::TimeRunsBackwards))
    }

    fn mismatch(&self, at: &Entries, unit: &Unit) -> Option<AppendError> {
        let types = self.types.as_ref()?;
        unit.appends.iter().zip(&types[at.streams..]).find_map(|(append, stream_type)| {
            let stream_type = stream_type.as_deref()?;
            if stream_type == append.stream_type.as_str() {
                return None;
            }
            Some(match stream_type.parse() {
                Ok(stream_type) => AppendError::StreamTypeMismatch {
                    stream_id: append.stream_id,
                    stream_type,
                    given: append.stream_type,
                },
                Err(invalid) => AppendError::Store(StoreError::Corrupt(invalid.to_string())),
            })
        })
    }

    fn conflict(&self, at: &Entries, unit: &Unit) -> Option<AppendError> {
        let expected = unit.appends.iter().zip(&self.versions[at.streams..]).find_map(|(append, current)| {
            let conflict = matches!(append.expected, Expected::Exact(expected) if expected.0 != *current);
            conflict.then_some((append.stream_id, *current))
        });
        let demanded = self.demanded.as_ref().and_then(|current| {
            let mut demands = unit.demands.iter().zip(&current[at.demands..]);
            demands.find(|(demand, current)| demand.version.0 != **current).map(|(demand, c)| (demand.stream_id, *c))
        });
        let (stream_id, current) = expected.or(demanded)?;
        Some(AppendError::Conflict { stream_id, current: Version(current) })
    }
}

/// Which of the answer's entries are a unit's: its number, and the index of its first stream and of its first demand.
struct Entries {
    unit: i32,
    streams: usize,
    demands: usize,
}
