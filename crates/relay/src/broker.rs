//! The JetStream stream: creates it if it is missing, checks its configuration, reads its state and messages.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{Context, ContextBuilder, CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{
    Config as StreamConfig, DirectGetErrorKind, DiscardPolicy, Info, RawMessageErrorKind, RetentionPolicy, StorageType,
};
use async_nats::{Client, HeaderMap, ServerInfo};

use crate::config::{Config, MAX_MESSAGE_BYTES};
use crate::status::{Halt, HaltReason};

/// How long the broker may take to answer a request.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a stream must be missing before it is created. The broker reports a deleted stream as gone before its files
/// are, and a new stream on top of them would continue the old one's sequence (docs/adr/0020).
const SETTLE: Duration = Duration::from_millis(500);

/// Why the relay can't continue.
#[derive(Debug)]
pub(crate) enum BrokerError {
    /// An operator has to intervene.
    Halt(Halt),
    /// Temporary: worth another try.
    Unavailable(String),
}

impl BrokerError {
    pub(crate) fn halt(fault: HaltReason, detail: impl Into<String>) -> Self {
        Self::Halt(Halt { fault, detail: detail.into() })
    }

    fn unavailable(error: &impl std::fmt::Display) -> Self {
        Self::Unavailable(format!("the broker does not answer: {error}"))
    }
}

/// The range of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamRange {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) messages: u64,
}

impl StreamRange {
    /// Whether no message is missing.
    pub(crate) fn is_whole(self) -> bool {
        self.messages == self.last && self.first <= 1
    }
}

/// A message as the stream holds it.
#[derive(Debug)]
pub(crate) struct StoredMessage {
    pub(crate) subject: String,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Vec<u8>,
}

impl From<StreamMessage> for StoredMessage {
    fn from(message: StreamMessage) -> Self {
        let StreamMessage { subject, headers, payload, .. } = message;
        Self { subject: subject.to_string(), headers, payload: payload.to_vec() }
    }
}

#[derive(Debug)]
pub(crate) struct Broker<'a> {
    client: Client,
    context: Context,
    config: &'a Config,
}

impl<'a> Broker<'a> {
    pub(crate) fn new(client: &Client, config: &'a Config) -> Self {
        let context = ContextBuilder::new().timeout(PATIENCE).build(client.clone());
        Self { client: client.clone(), context, config }
    }

    /// Creates the stream if it is missing, and checks that it can hold the log.
    pub(crate) async fn ready(&self) -> Result<StreamRange, BrokerError> {
        if let Some(reason) = server_problem(&self.client.server_info()) {
            return Err(BrokerError::halt(HaltReason::Server, reason));
        }
        let info = if let Some(info) = self.info().await? {
            info
        } else {
            tokio::time::sleep(SETTLE).await;
            self.create().await?
        };
        if let Some(reason) = config_problem(&info.config, self.config) {
            let detail = format!(
                "stream {} {reason}. Change that, or delete the stream: the relay creates and fills it again",
                self.config.stream
            );
            return Err(BrokerError::halt(HaltReason::StreamConfig, detail));
        }
        Ok(range(&info))
    }

    /// The range of the stream; `None`: it does not exist.
    pub(crate) async fn range(&self) -> Result<Option<StreamRange>, BrokerError> {
        Ok(self.info().await?.as_ref().map(range))
    }

    pub(crate) async fn info(&self) -> Result<Option<Info>, BrokerError> {
        match self.context.get_stream(&self.config.stream).await {
            Ok(stream) => Ok(Some(stream.cached_info().clone())),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(told) if told.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
                GetStreamErrorKind::JetStream(told) if no_jetstream(told.error_code()) => Err(BrokerError::halt(
                    HaltReason::Server,
                    format!("the server has no JetStream for this account: {told}"),
                )),
                GetStreamErrorKind::EmptyName | GetStreamErrorKind::InvalidStreamName => Err(BrokerError::halt(
                    HaltReason::StreamConfig,
                    format!("{:?} is not a valid stream name", self.config.stream),
                )),
                // no responders: JetStream is off, or still starting
                _ => Err(BrokerError::unavailable(&error)),
            },
        }
    }

    async fn create(&self) -> Result<Info, BrokerError> {
        tracing::info!(stream = self.config.stream, "creating the stream");
        match self.context.create_stream(stream_config(self.config)).await {
            Ok(stream) => self.fresh(stream.cached_info()).await,
            Err(error) => match error.kind() {
                // another relay was faster
                CreateStreamErrorKind::JetStream(told) if told.error_code() == ErrorCode::STREAM_NAME_EXIST => {
                    let gone = || BrokerError::Unavailable("the stream was deleted right after it was created".into());
                    self.info().await?.ok_or_else(gone)
                }
                CreateStreamErrorKind::JetStream(told) => {
                    let detail = format!("stream {} can't be created: {told}", self.config.stream);
                    Err(BrokerError::halt(HaltReason::StreamConfig, detail))
                }
                _ => Err(BrokerError::unavailable(&error)),
            },
        }
    }

    /// A new stream that is empty, but does not begin at 1, stands on the files of a deleted one. It is empty, so it is
    /// deleted again.
    async fn fresh(&self, made: &Info) -> Result<Info, BrokerError> {
        let StreamRange { last, messages, .. } = range(made);
        if messages > 0 || last == 0 {
            return Ok(made.clone());
        }
        let deleted = self.context.delete_stream(&self.config.stream).await;
        deleted.map_err(|error| BrokerError::unavailable(&error))?;
        Err(BrokerError::Unavailable(format!("the broker was still deleting the stream that ended at {last}")))
    }

    /// A message, from the leader of the stream; `None`: there is none.
    pub(crate) async fn message(&self, sequence: u64) -> Result<Option<StoredMessage>, BrokerError> {
        let stream = self.context.get_stream_no_info(&self.config.stream).await;
        let stream = stream.map_err(|error| BrokerError::unavailable(&error))?;
        match stream.get_raw_message(sequence).await {
            Ok(message) => Ok(Some(message.into())),
            Err(error) => match error.kind() {
                RawMessageErrorKind::NoMessageFound => Ok(None),
                _ => Err(BrokerError::unavailable(&error)),
            },
        }
    }

    /// A message, from any replica of the stream, which is faster. A replica may lag, so "none" is confirmed by the leader.
    pub(crate) async fn message_from_any(&self, sequence: u64) -> Result<Option<StoredMessage>, BrokerError> {
        let stream = self.context.get_stream_no_info(&self.config.stream).await;
        let stream = stream.map_err(|error| BrokerError::unavailable(&error))?;
        match stream.direct_get(sequence).await {
            Ok(message) => Ok(Some(message.into())),
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => self.message(sequence).await,
            Err(error) => Err(BrokerError::unavailable(&error)),
        }
    }
}

fn range(info: &Info) -> StreamRange {
    let state = &info.state;
    StreamRange { first: state.first_sequence, last: state.last_sequence, messages: state.messages }
}

fn no_jetstream(code: ErrorCode) -> bool {
    code == ErrorCode::JETSTREAM_NOT_ENABLED || code == ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT
}

fn server_problem(server: &ServerInfo) -> Option<String> {
    if !server.headers {
        return Some(format!(
            "nats-server {} does not support headers; version 2.9 or later is needed",
            server.version
        ));
    }
    (server.max_payload < MAX_MESSAGE_BYTES).then(|| {
        format!(
            "the server accepts messages of up to {} bytes, events need {MAX_MESSAGE_BYTES}: raise its max_payload",
            server.max_payload
        )
    })
}

fn stream_config(config: &Config) -> StreamConfig {
    StreamConfig {
        name: config.stream.clone(),
        description: Some("The log of Docket: the sequence is the position. Written by its relay alone.".into()),
        subjects: vec![format!("{}.>", config.subject_prefix)],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        num_replicas: config.replicas,
        // refuse new messages rather than drop old ones
        discard: DiscardPolicy::New,
        max_messages: -1,
        max_bytes: -1,
        max_messages_per_subject: -1,
        max_message_size: -1,
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        ..StreamConfig::default()
    }
}

/// Why an existing stream can't hold the log: it would lose, refuse or mix in messages.
pub(crate) fn config_problem(found: &StreamConfig, config: &Config) -> Option<String> {
    let subjects = format!("{}.>", config.subject_prefix);
    let limited = found.max_messages > 0 || found.max_bytes > 0;
    let too_small = i64::from(found.max_message_size) < i64::try_from(MAX_MESSAGE_BYTES).unwrap_or(i64::MAX);
    let copies = found.mirror.is_some() || found.sources.as_ref().is_some_and(|sources| !sources.is_empty());
    let reason = if copies {
        "copies another stream".to_owned()
    } else if found.subjects != [subjects.as_str()] {
        format!("takes the subjects {:?} instead of {subjects} alone", found.subjects)
    } else if found.retention != RetentionPolicy::Limits {
        "drops messages once they are consumed (its retention is not \"limits\")".to_owned()
    } else if !found.max_age.is_zero() {
        "drops messages by age (max_age)".to_owned()
    } else if limited && found.discard == DiscardPolicy::Old || found.max_messages_per_subject > 0 {
        "drops messages when it is full (max_msgs, max_bytes or max_msgs_per_subject)".to_owned()
    } else if found.max_message_size > 0 && too_small {
        format!("accepts messages of up to {} bytes, {MAX_MESSAGE_BYTES} are needed", found.max_message_size)
    } else if found.no_ack {
        "acknowledges nothing (no_ack)".to_owned()
    } else if found.sealed {
        "is sealed".to_owned()
    } else {
        return None;
    };
    Some(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stream_on_deleted_files_is_recreated() {
        let (_folder, nats) = devstack::testing::private_nats().await;
        let client = crate::connect(nats.url()).await.unwrap();
        let config = Config::new(nats.url(), "urn:test", || chrono::DateTime::UNIX_EPOCH);
        let broker = Broker::new(&client, &config);
        // an empty stream with a sequence, as the broker makes it from such files
        let open = StreamConfig { deny_purge: false, ..stream_config(&config) };
        let stream = broker.context.create_stream(open).await.unwrap();
        broker.context.publish("docket.ticket", "".into()).await.unwrap().await.unwrap();
        stream.purge().await.unwrap();
        broker.context.update_stream(stream_config(&config)).await.unwrap();

        assert!(
            matches!(broker.create().await, Err(BrokerError::Unavailable(reason)) if reason.contains("ended at 1"))
        );
        assert_eq!(broker.ready().await.unwrap(), StreamRange { first: 0, last: 0, messages: 0 });
    }
}
