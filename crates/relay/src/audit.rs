//! Compares the whole stream with the whole log, message by message.

use std::future::ready;
use std::pin::pin;
use std::time::Duration;

use eventstore::{EventStore, Position, RecordedEvent};
use futures_util::{StreamExt, TryStreamExt};
use serde::Serialize;

use crate::Config;
use crate::broker::{Broker, BrokerError, StreamRange, config_problem};
use crate::connection::connect;
use crate::envelope::message_difference;

/// The number of messages that are requested at a time.
const CONCURRENCY: usize = 256;
/// The number of findings that are kept; all are counted.
const MAX_FINDINGS: usize = 1_000;
/// How long the broker may lag without progress before that is a finding.
const PATIENCE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(100);

/// The result of an audit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// The number of messages in the stream.
    pub messages: u64,
    /// The number of events in the log when the audit began.
    pub events: u64,
    /// The number of broken rules.
    pub broken: u64,
    /// The first thousand of them.
    pub findings: Vec<Finding>,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule: `no_stream`, `stream_config`, `missing_message`, `difference`, `not_in_log`, `missing_tail`.
    pub rule: &'static str,
    /// The position of the event, if there is one.
    pub position: Option<Position>,
    /// What was found, in words.
    pub detail: String,
}

/// Why an audit failed.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The broker can't be reached, or does not answer.
    #[error("the broker can't be read: {0}")]
    Broker(String),
    /// The log can't be read.
    #[error("the log can't be read")]
    Log(#[from] eventstore::StoreError),
}

impl From<BrokerError> for AuditError {
    fn from(error: BrokerError) -> Self {
        Self::Broker(match error {
            BrokerError::Unavailable(reason) => reason,
            BrokerError::Halt(halt) => halt.to_string(),
        })
    }
}

impl AuditReport {
    fn add(&mut self, rule: &'static str, position: Option<i64>, detail: String) {
        self.broken += 1;
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(Finding { rule, position: position.map(Position), detail });
        }
    }
}

/// Compares every message of the stream with its event: subject, headers, every attribute, and data. Nothing is changed; a
/// running relay is not disturbed, and is given time to publish what it lags behind. `progress` is called with the number
/// of positions compared so far.
pub async fn audit(
    store: &EventStore,
    config: &Config,
    mut progress: impl FnMut(u64),
) -> Result<AuditReport, AuditError> {
    let client = connect(&config.url).await.map_err(AuditError::Broker)?;
    let broker = Broker::new(&client, config);
    let head = store.head().await?.0;
    let mut report = AuditReport { events: head.unsigned_abs(), ..AuditReport::default() };
    let Some(info) = broker.info().await? else {
        report.add("no_stream", None, format!("there is no stream {}", config.stream));
        return Ok(report);
    };
    if let Some(reason) = config_problem(&info.config, config) {
        report.add("stream_config", None, format!("the stream {reason}"));
    }
    let stream = caught_up(&broker, head).await?;
    report.messages = stream.messages;
    let last = i64::try_from(stream.last).unwrap_or(i64::MAX);

    let direct = info.config.allow_direct;
    let logged = store.read_log(Position(0)).try_take_while(|event| ready(Ok(event.position.0 <= last)));
    let mut compared = pin!(logged.map(|event| compare(&broker, config, direct, event)).buffered(CONCURRENCY));
    let mut done = 0;
    while let Some((position, finding)) = compared.try_next().await? {
        if let Some((rule, detail)) = finding {
            report.add(rule, Some(position), detail);
        }
        done = position;
        progress(done.unsigned_abs());
    }
    if done < last {
        let detail = format!("the stream ends at {last}, the log at {done}");
        report.add("not_in_log", Some(done + 1), detail);
    }
    if last < head {
        let detail =
            format!("the last {} events of the log are not on the broker, and nobody publishes them", head - last);
        report.add("missing_tail", Some(last + 1), detail);
    }
    Ok(report)
}

/// The range of the stream once it has reached `goal`, or has made no progress for a while.
async fn caught_up(broker: &Broker<'_>, goal: i64) -> Result<StreamRange, AuditError> {
    let gone = || AuditError::Broker("the stream is gone".into());
    let mut range = broker.range().await?.ok_or_else(gone)?;
    let mut waited = Duration::ZERO;
    while i64::try_from(range.last).unwrap_or(i64::MAX) < goal && waited < PATIENCE {
        tokio::time::sleep(POLL).await;
        let now = broker.range().await?.ok_or_else(gone)?;
        waited = if now.last > range.last { Duration::ZERO } else { waited + POLL };
        range = now;
    }
    Ok(range)
}

/// A position, and the rule that is broken there, in words.
type Compared = (i64, Option<(&'static str, String)>);

async fn compare(
    broker: &Broker<'_>,
    config: &Config,
    direct: bool,
    event: Result<RecordedEvent, eventstore::StoreError>,
) -> Result<Compared, AuditError> {
    let event = event?;
    let position = event.position.0;
    let sequence = position.unsigned_abs();
    let message = if direct { broker.message_from_any(sequence).await? } else { broker.message(sequence).await? };
    let finding = match message {
        None => Some(("missing_message", "the message is missing".to_owned())),
        Some(stored) => message_difference(&event, &stored, config).map(|reason| ("difference", reason)),
    };
    Ok((position, finding))
}
