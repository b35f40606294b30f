//! The whole stream against the whole log, message by message.

use std::future::ready;
use std::pin::pin;
use std::time::Duration;

use eventstore::{EventStore, Position, RecordedEvent};
use futures_util::{StreamExt, TryStreamExt};
use serde::Serialize;

use crate::Config;
use crate::broker::{Broker, Held, Trouble, unfit};
use crate::envelope::difference;
use crate::link::connect;

/// How many messages are asked for at a time.
const AT_ONCE: usize = 256;
/// How many findings are kept; all are counted.
const KEPT: usize = 1_000;
/// How long the broker may stand still behind the log before that is a finding.
const PATIENCE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(100);

/// What an audit has found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// How many messages the stream holds.
    pub messages: u64,
    /// How many events the log held at the beginning.
    pub events: u64,
    /// How often a rule was broken.
    pub broken: u64,
    /// Where; the first thousand.
    pub findings: Vec<Finding>,
}

/// A rule that is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which: `no_stream`, `stream_config`, `missing_message`, `difference`, `not_in_log`, `missing_tail`.
    pub rule: &'static str,
    /// Where.
    pub position: Option<Position>,
    /// What was found.
    pub detail: String,
}

/// Why an audit could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// There is no connection to the broker, or it does not answer.
    #[error("the broker can't be read: {0}")]
    Broker(String),
    /// The log can't be read.
    #[error("the log can't be read")]
    Log(#[from] eventstore::StoreError),
}

impl From<Trouble> for AuditError {
    fn from(trouble: Trouble) -> Self {
        Self::Broker(match trouble {
            Trouble::Unavailable(reason) => reason,
            Trouble::Halt(halt) => halt.to_string(),
        })
    }
}

impl AuditReport {
    fn add(&mut self, rule: &'static str, position: Option<i64>, detail: String) {
        self.broken += 1;
        if self.findings.len() < KEPT {
            self.findings.push(Finding { rule, position: position.map(Position), detail });
        }
    }
}

/// Compares all that the stream holds with the log. Changes nothing, and disturbs no relay. What a living relay is about
/// to publish is waited for. `progress` is told how many positions are done.
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
    if let Some(reason) = unfit(&info.config, config) {
        report.add("stream_config", None, format!("the stream {reason}"));
    }
    let stream = caught_up(&broker, head).await?;
    report.messages = stream.messages;
    let last = i64::try_from(stream.last).unwrap_or(i64::MAX);

    let direct = info.config.allow_direct;
    let logged = store.read_log(Position(0)).try_take_while(|event| ready(Ok(event.position.0 <= last)));
    let mut compared = pin!(logged.map(|event| compare(&broker, direct, event)).buffered(AT_ONCE));
    let mut done = 0;
    while let Some((position, finding)) = compared.try_next().await? {
        if let Some((rule, detail)) = finding {
            report.add(rule, Some(position), detail);
        }
        done = position;
        progress(done.unsigned_abs());
    }
    if done < last {
        let detail = format!("the stream goes on to {last}, the log ends at {done}");
        report.add("not_in_log", Some(done + 1), detail);
    }
    if last < head {
        let detail = format!("the log's last {} are not on the broker, and nobody publishes them", head - last);
        report.add("missing_tail", Some(last + 1), detail);
    }
    Ok(report)
}

/// What the stream holds once it has all of what the log held, or has stood still for a while.
async fn caught_up(broker: &Broker<'_>, goal: i64) -> Result<Held, AuditError> {
    let gone = || AuditError::Broker("the stream is gone".into());
    let mut held = broker.held().await?.ok_or_else(gone)?;
    let mut waited = Duration::ZERO;
    while i64::try_from(held.last).unwrap_or(i64::MAX) < goal && waited < PATIENCE {
        tokio::time::sleep(POLL).await;
        let now = broker.held().await?.ok_or_else(gone)?;
        waited = if now.last > held.last { Duration::ZERO } else { waited + POLL };
        held = now;
    }
    Ok(held)
}

/// A position, which rule is broken there, and how.
type Compared = (i64, Option<(&'static str, String)>);

async fn compare(
    broker: &Broker<'_>,
    direct: bool,
    event: Result<RecordedEvent, eventstore::StoreError>,
) -> Result<Compared, AuditError> {
    let event = event?;
    let position = event.position.0;
    let sequence = position.unsigned_abs();
    let message = if direct { broker.message_from_any(sequence).await? } else { broker.message(sequence).await? };
    let finding = match message {
        None => Some(("missing_message", "the stream has a hole".to_owned())),
        Some(payload) => difference(&event, &payload).map(|reason| ("difference", reason)),
    };
    Ok((position, finding))
}
