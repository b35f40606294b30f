//! The stream on the broker: made where it is missing, held to what it must be, asked what it holds.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{Context, ContextBuilder, CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{
    Config as StreamConfig, DirectGetErrorKind, DiscardPolicy, Info, RawMessageErrorKind, RetentionPolicy, StorageType,
};
use async_nats::{Client, ServerInfo};

use crate::config::{Config, MAX_MESSAGE_BYTES};
use crate::status::{Halt, HaltReason};

/// How long the broker may take to answer a question.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a stream must be missing before it is made. The broker tells that a deleted stream is gone before its files
/// are, and would put a new one upon them: it would count on where the old one ended (docs/adr/0020).
const SETTLE: Duration = Duration::from_millis(500);

/// Why the relay can't go on just now.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Somebody has to mend something.
    Halt(Halt),
    /// It may pass.
    Unavailable(String),
}

impl Trouble {
    pub(crate) fn halt(fault: HaltReason, detail: impl Into<String>) -> Self {
        Self::Halt(Halt { fault, detail: detail.into() })
    }

    fn unavailable(error: &impl std::fmt::Display) -> Self {
        Self::Unavailable(format!("the broker does not answer: {error}"))
    }
}

/// What the stream holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) messages: u64,
}

impl Held {
    /// Every message from 1 to the last is there.
    pub(crate) fn is_whole(self) -> bool {
        self.messages == self.last && self.first <= 1
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

    /// The stream, made where it is missing, and fit to hold the log.
    pub(crate) async fn ready(&self) -> Result<Held, Trouble> {
        if let Some(reason) = unfit_server(&self.client.server_info()) {
            return Err(Trouble::halt(HaltReason::Server, reason));
        }
        let info = if let Some(info) = self.info().await? {
            info
        } else {
            tokio::time::sleep(SETTLE).await;
            self.create().await?
        };
        if let Some(reason) = unfit(&info.config, self.config) {
            let detail = format!(
                "stream {} {reason}; change that, or delete the stream: it is made anew and filled again",
                self.config.stream
            );
            return Err(Trouble::halt(HaltReason::StreamConfig, detail));
        }
        Ok(held(&info))
    }

    /// What the stream holds; `None` where there is no such stream.
    pub(crate) async fn held(&self) -> Result<Option<Held>, Trouble> {
        Ok(self.info().await?.as_ref().map(held))
    }

    pub(crate) async fn info(&self) -> Result<Option<Info>, Trouble> {
        match self.context.get_stream(&self.config.stream).await {
            Ok(stream) => Ok(Some(stream.cached_info().clone())),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(told) if told.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
                GetStreamErrorKind::JetStream(told) if no_jetstream(told.error_code()) => Err(Trouble::halt(
                    HaltReason::Server,
                    format!("the server has no JetStream for this account: {told}"),
                )),
                GetStreamErrorKind::EmptyName | GetStreamErrorKind::InvalidStreamName => Err(Trouble::halt(
                    HaltReason::StreamConfig,
                    format!("{:?} is no name for a stream", self.config.stream),
                )),
                // nobody listens there: JetStream is off, or just starting
                _ => Err(Trouble::unavailable(&error)),
            },
        }
    }

    async fn create(&self) -> Result<Info, Trouble> {
        tracing::info!(stream = self.config.stream, "making the stream");
        match self.context.create_stream(wanted(self.config)).await {
            Ok(stream) => self.fresh(stream.cached_info()).await,
            Err(error) => match error.kind() {
                // another relay was faster
                CreateStreamErrorKind::JetStream(told) if told.error_code() == ErrorCode::STREAM_NAME_EXIST => {
                    let gone = || Trouble::Unavailable("the stream came and went".into());
                    self.info().await?.ok_or_else(gone)
                }
                CreateStreamErrorKind::JetStream(told) => {
                    let detail = format!("stream {} can't be made: {told}", self.config.stream);
                    Err(Trouble::halt(HaltReason::StreamConfig, detail))
                }
                _ => Err(Trouble::unavailable(&error)),
            },
        }
    }

    /// A stream that was just made, holds nothing and yet does not begin at 1 stands upon a deleted one's files. It goes
    /// again: nothing is in it that could be lost.
    async fn fresh(&self, made: &Info) -> Result<Info, Trouble> {
        let Held { last, messages, .. } = held(made);
        if messages > 0 || last == 0 {
            return Ok(made.clone());
        }
        let deleted = self.context.delete_stream(&self.config.stream).await;
        deleted.map_err(|error| Trouble::unavailable(&error))?;
        Err(Trouble::Unavailable(format!("the broker was still deleting the stream that ended at {last}")))
    }

    /// The content of a message, from the stream's leader; `None` where there is none.
    pub(crate) async fn message(&self, sequence: u64) -> Result<Option<Vec<u8>>, Trouble> {
        let stream = self.context.get_stream_no_info(&self.config.stream).await;
        let stream = stream.map_err(|error| Trouble::unavailable(&error))?;
        match stream.get_raw_message(sequence).await {
            Ok(message) => Ok(Some(message.payload.to_vec())),
            Err(error) => match error.kind() {
                RawMessageErrorKind::NoMessageFound => Ok(None),
                _ => Err(Trouble::unavailable(&error)),
            },
        }
    }

    /// The same from any of the stream's servers, faster; one of them may lag behind, so "none" is asked of the leader
    /// again.
    pub(crate) async fn message_from_any(&self, sequence: u64) -> Result<Option<Vec<u8>>, Trouble> {
        let stream = self.context.get_stream_no_info(&self.config.stream).await;
        let stream = stream.map_err(|error| Trouble::unavailable(&error))?;
        match stream.direct_get(sequence).await {
            Ok(message) => Ok(Some(message.payload.to_vec())),
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => self.message(sequence).await,
            Err(error) => Err(Trouble::unavailable(&error)),
        }
    }
}

fn held(info: &Info) -> Held {
    let state = &info.state;
    Held { first: state.first_sequence, last: state.last_sequence, messages: state.messages }
}

fn no_jetstream(code: ErrorCode) -> bool {
    code == ErrorCode::JETSTREAM_NOT_ENABLED || code == ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT
}

fn unfit_server(server: &ServerInfo) -> Option<String> {
    if !server.headers {
        return Some(format!("nats-server {} knows no headers; 2.9 or later is needed", server.version));
    }
    (server.max_payload < MAX_MESSAGE_BYTES).then(|| {
        format!(
            "the server takes messages of {} bytes at the most, events need {MAX_MESSAGE_BYTES}: raise its max_payload",
            server.max_payload
        )
    })
}

fn wanted(config: &Config) -> StreamConfig {
    StreamConfig {
        name: config.stream.clone(),
        description: Some("The log of Docket: the sequence is the position. Written by its relay alone.".into()),
        subjects: vec![format!("{}.>", config.subject_prefix)],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        num_replicas: config.replicas,
        // nothing is ever dropped to make room
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

/// Why a stream that is there would lose, refuse or mix in what is not the log's.
pub(crate) fn unfit(found: &StreamConfig, config: &Config) -> Option<String> {
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
        format!("takes messages of {} bytes at the most, {MAX_MESSAGE_BYTES} are needed", found.max_message_size)
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
    async fn a_stream_made_upon_the_files_of_a_deleted_one_is_made_again() {
        let (_folder, nats) = devstack::testing::private_nats().await;
        let client = crate::connect(nats.url()).await.unwrap();
        let config = Config::new(nats.url(), || chrono::DateTime::UNIX_EPOCH);
        let broker = Broker::new(&client, &config);
        // what the broker makes of them: no messages, and a number to count on from
        let open = StreamConfig { deny_purge: false, ..wanted(&config) };
        let stream = broker.context.create_stream(open).await.unwrap();
        broker.context.publish("docket.ticket", "".into()).await.unwrap().await.unwrap();
        stream.purge().await.unwrap();
        broker.context.update_stream(wanted(&config)).await.unwrap();

        assert!(matches!(broker.create().await, Err(Trouble::Unavailable(reason)) if reason.contains("ended at 1")));
        assert_eq!(broker.ready().await.unwrap(), Held { first: 0, last: 0, messages: 0 });
    }
}
