//! From units to the arrays of `eventstore_append`.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Job;
use super::head_cache::HeadCache;
use super::json_text::JsonText;
use crate::{Expected, Retention};

/// The parameters of `eventstore_append` for a batch.
#[derive(Default)]
pub(super) struct Columns<'a> {
    pub(super) stream_unit: Vec<i32>,
    pub(super) stream_ids: Vec<Uuid>,
    pub(super) stream_type: Vec<&'a str>,
    pub(super) stream_expected: Vec<Option<i64>>,
    pub(super) stream_known: Vec<Option<i64>>,
    pub(super) stream_events: Vec<i32>,
    pub(super) stream_last: Vec<i32>,
    pub(super) event_stream: Vec<i32>,
    pub(super) event_step: Vec<i32>,
    pub(super) event_type: Vec<&'a str>,
    pub(super) event_schema: Vec<i16>,
    pub(super) event_payload: Vec<JsonText<'a>>,
    pub(super) event_metadata: Vec<JsonText<'a>>,
    pub(super) event_occurred_at: Vec<DateTime<Utc>>,
    pub(super) demand_unit: Vec<i32>,
    pub(super) demand_stream: Vec<Uuid>,
    pub(super) demand_version: Vec<i64>,
    pub(super) receipt_unit: Vec<i32>,
    pub(super) receipt_stream: Vec<i32>,
    pub(super) receipt_caller: Vec<&'a str>,
    pub(super) receipt_key: Vec<&'a str>,
    pub(super) receipt_fingerprint: Vec<&'a [u8]>,
    pub(super) receipt_status: Vec<i16>,
    pub(super) receipt_permanent: Vec<bool>,
    pub(super) alias_unit: Vec<i32>,
    pub(super) alias_stream: Vec<i32>,
    pub(super) alias_scope: Vec<&'a str>,
    pub(super) alias_name: Vec<&'a str>,
    pub(super) release_unit: Vec<i32>,
    pub(super) release_stream: Vec<Uuid>,
    pub(super) release_scope: Vec<&'a str>,
    pub(super) release_name: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(batch: &'a [Job], heads: &HeadCache) -> Self {
        let mut columns = Self::default();
        for (index, job) in batch.iter().enumerate() {
            columns.push(sql_index(index), job, heads);
        }
        columns
    }

    fn push(&mut self, number: i32, Job { unit, metadata, .. }: &'a Job, heads: &HeadCache) {
        let first_stream = self.stream_ids.len();
        for append in &unit.appends {
            let stream = sql_index(self.stream_ids.len());
            self.stream_unit.push(number);
            self.stream_ids.push(append.stream_id.0);
            self.stream_type.push(append.stream_type.as_str());
            self.stream_expected.push(match append.expected {
                #[cfg(feature = "planted-bugs")]
                _ if crate::planted::is(crate::planted::BLIND_APPEND) => None,
                Expected::Any => None,
                Expected::Exact(version) => Some(version.0),
            });
            self.stream_known.push(heads.lookup(append).map(|version| version.0));
            self.stream_events.push(int(append.events.len()));
            for (step, event) in append.events.iter().enumerate() {
                self.event_stream.push(stream);
                self.event_step.push(sql_index(step));
                self.event_type.push(&event.event_type);
                self.event_schema.push(event.schema_version);
                self.event_payload.push(JsonText(&event.payload));
                self.event_metadata.push(JsonText(metadata));
                self.event_occurred_at.push(event.occurred_at);
            }
            self.stream_last.push(if append.events.is_empty() { 0 } else { int(self.event_type.len()) });
        }
        for demand in &unit.demands {
            self.demand_unit.push(number);
            self.demand_stream.push(demand.stream_id.0);
            self.demand_version.push(demand.version.0);
        }
        if let Some(receipt) = &unit.receipt {
            self.receipt_unit.push(number);
            self.receipt_stream.push(sql_index(first_stream));
            self.receipt_caller.push(&receipt.caller);
            self.receipt_key.push(&receipt.key);
            self.receipt_fingerprint.push(&receipt.fingerprint);
            self.receipt_status.push(receipt.status);
            self.receipt_permanent.push(receipt.retention == Retention::Permanent);
        }
        for alias in &unit.takes {
            let own = unit.appends.iter().position(|a| a.stream_id == alias.stream_id).unwrap_or_default();
            self.alias_unit.push(number);
            self.alias_stream.push(sql_index(first_stream + own));
            self.alias_scope.push(&alias.scope);
            self.alias_name.push(&alias.name);
        }
        for alias in &unit.releases {
            self.release_unit.push(number);
            self.release_stream.push(alias.stream_id.0);
            self.release_scope.push(&alias.scope);
            self.release_name.push(&alias.name);
        }
    }
}

/// SQL counts array elements from 1.
pub(super) fn sql_index(index: usize) -> i32 {
    int(index + 1)
}

/// A batch is far smaller than `i32::MAX`.
pub(super) fn int(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
