//! Publishes from one position on, until something happens that only another check can explain.

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::{Client, Subscriber};
use eventstore::{EventStore, Position};
use futures_util::StreamExt;
use tokio::time::Instant;

use crate::backoff::with_jitter;
use crate::broker::{Broker, BrokerError};
use crate::check::StreamBounds;
use crate::connection::Connection;
use crate::feed::Feed;
use crate::metrics::METRICS;
use crate::reply::Reply;
use crate::reporter::Reporter;
use crate::{Config, Message, State, failpoints};

/// The most messages, and the most bytes of them, that may be in flight.
const WINDOW: i64 = 1_024;
const WINDOW_BYTES: usize = 8 * 1024 * 1024;
/// How long an acknowledgement may take.
const ACK_TIMEOUT: Duration = Duration::from_secs(1);

/// Why publishing stopped.
#[derive(Debug)]
pub(crate) enum StopReason {
    /// The connection was lost: messages in flight may or may not have arrived.
    ConnectionLost,
    /// The stream is ahead of this relay: another one publishes.
    AnotherPublisher,
    /// A message was refused, or the stream has changed.
    Unconfirmed(String),
    /// The store is closed.
    Closed,
}

/// One run of publishing.
pub(crate) struct Session<'a> {
    client: &'a Client,
    broker: &'a Broker<'a>,
    config: &'a Config,
    reporter: &'a Reporter,
    inbox: String,
    replies: Subscriber,
    bounds: StreamBounds,
    /// The last position sent; the last one known to be stored is `bounds.position`.
    sent: i64,
    pending: VecDeque<PendingAck>,
    bytes: usize,
}

/// A message whose acknowledgement is pending.
struct PendingAck {
    position: i64,
    /// The bytes of this message, and of those since the last one that asked for an acknowledgement.
    bytes: usize,
    deadline: Instant,
}

impl<'a> Session<'a> {
    pub(crate) async fn open(
        connection: &'a Connection,
        broker: &'a Broker<'a>,
        config: &'a Config,
        reporter: &'a Reporter,
        bounds: StreamBounds,
    ) -> Result<Self, BrokerError> {
        // a new inbox, so that replies to an earlier session are not received
        let inbox = connection.client().new_inbox();
        let replies = connection.client().subscribe(format!("{inbox}.*")).await;
        let replies = replies.map_err(|error| BrokerError::Unavailable(error.to_string()))?;
        let session = Self {
            client: connection.client(),
            broker,
            config,
            reporter,
            inbox,
            replies,
            bounds,
            sent: bounds.position,
            pending: VecDeque::new(),
            bytes: 0,
        };
        session.report();
        Ok(session)
    }

    /// Whether the broker has stored anything.
    pub(crate) fn has_moved(&self, from: StreamBounds) -> bool {
        self.bounds.position > from.position
    }

    /// Publishes until something stops it. `loss` completes when the connection is lost.
    pub(crate) async fn run(&mut self, store: &EventStore, loss: impl Future<Output = ()>) -> StopReason {
        let mut loss = std::pin::pin!(loss);
        let mut feed = Feed::start(store, Position(self.bounds.position), self.config);
        let mut next_check = Instant::now() + with_jitter(self.config.poll);
        loop {
            let has_room = self.sent - self.bounds.position < WINDOW && self.bytes < WINDOW_BYTES;
            let ack_deadline = self.pending.front().map(|pending| pending.deadline);
            let step = tokio::select! {
                biased;
                () = &mut loss => Err(StopReason::ConnectionLost),
                reply = self.replies.next() => match reply {
                    Some(message) => self.on_reply(&Reply::of(&message)),
                    None => Err(StopReason::ConnectionLost),
                },
                stride = feed.next(), if has_room => match stride {
                    Some(stride) => tokio::select! {
                        () = &mut loss => Err(StopReason::ConnectionLost),
                        sent = self.publish(stride) => sent,
                    },
                    None => Err(StopReason::Closed),
                },
                () = tokio::time::sleep_until(ack_deadline.unwrap_or(next_check)) => if ack_deadline.is_some() {
                    Err(StopReason::Unconfirmed("the broker does not acknowledge".into()))
                } else {
                    next_check = Instant::now() + with_jitter(self.config.poll);
                    tokio::select! {
                        () = &mut loss => Err(StopReason::ConnectionLost),
                        checked = self.check_stream() => checked,
                    }
                },
            };
            if let Err(reason) = step {
                return reason;
            }
        }
    }

    async fn publish(&mut self, stride: Vec<Message>) -> Result<(), StopReason> {
        let last = stride.last().map(|message| message.position);
        let mut bytes = 0;
        failpoints::BEFORE_PUBLISH.reached();
        for message in stride {
            let Message { subject, headers, payload, position } = message;
            bytes += payload.len();
            let published = if Some(position) == last {
                let inbox = format!("{}.{position}", self.inbox);
                self.client.publish_with_reply_and_headers(subject, inbox, headers, payload.into()).await
            } else {
                self.client.publish_with_headers(subject, headers, payload.into()).await
            };
            published
                .map_err(|error| StopReason::Unconfirmed(format!("event {position} can't be published: {error}")))?;
            self.sent = position;
        }
        failpoints::published(self.client).await;
        self.bytes += bytes;
        self.pending.push_back(PendingAck { position: self.sent, bytes, deadline: Instant::now() + ACK_TIMEOUT });
        Ok(())
    }

    fn on_reply(&mut self, reply: &Reply) -> Result<(), StopReason> {
        let sequence = match reply {
            Reply::Stored(sequence) => i64::try_from(*sequence).unwrap_or(i64::MAX),
            Reply::OutOfTurn => return Err(StopReason::AnotherPublisher),
            Reply::Failed(reason) => return Err(StopReason::Unconfirmed(reason.clone())),
        };
        let Some(pending) = self.pending.pop_front() else { return Ok(()) };
        if pending.position != sequence {
            // the broker ignored the fence
            return Err(StopReason::Unconfirmed(format!(
                "event {} was stored as message {sequence}",
                pending.position
            )));
        }
        failpoints::ACKNOWLEDGED.reached();
        self.bytes -= pending.bytes;
        METRICS.published.add(self.bounds.position.abs_diff(sequence), &[]);
        self.bounds.position = sequence;
        self.report();
        Ok(())
    }

    fn report(&self) {
        let state = if self.bounds.position >= self.bounds.head { State::Live } else { State::Filling };
        self.reporter.at(state, self.bounds.position);
    }

    /// Checks the stream while there is nothing to publish: another relay may have taken over, or the broker may have lost
    /// acknowledged messages.
    async fn check_stream(&self) -> Result<(), StopReason> {
        let unconfirmed = |reason: String| StopReason::Unconfirmed(reason);
        let range = match self.broker.range().await {
            Ok(Some(range)) => range,
            Ok(None) => return Err(unconfirmed("the stream is gone".into())),
            Err(BrokerError::Unavailable(reason)) => return Err(unconfirmed(reason)),
            Err(BrokerError::Halt(halt)) => return Err(unconfirmed(halt.to_string())),
        };
        let last = i64::try_from(range.last).unwrap_or(i64::MAX);
        if !range.is_whole() {
            Err(unconfirmed("messages are missing".into()))
        } else if last > self.bounds.position {
            Err(StopReason::AnotherPublisher)
        } else if last < self.bounds.position {
            Err(unconfirmed(format!("the stream ends at {last}, but {} was acknowledged", self.bounds.position)))
        } else {
            Ok(())
        }
    }
}
