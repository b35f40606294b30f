//! Publishing, from one place in the log on, until something happens that only another look can explain.

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::{Client, Subscriber};
use eventstore::{EventStore, Position};
use futures_util::StreamExt;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::backoff::stretched;
use crate::broker::{Broker, Trouble};
use crate::check::Place;
use crate::feed::Feed;
use crate::link::Link;
use crate::metrics::METRICS;
use crate::reporter::Reporter;
use crate::{Config, Message, State, failpoints};

/// How many messages, and how many bytes of them, may be under way.
const WINDOW: i64 = 1_024;
const WINDOW_BYTES: usize = 8 * 1024 * 1024;
/// How long an acknowledgement may take.
const ACK_TIMEOUT: Duration = Duration::from_secs(1);

/// Why publishing has ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The connection was lost: what was under way may have arrived or not.
    Broken,
    /// The stream is ahead of what this relay knows: another one publishes.
    Overtaken,
    /// A message was refused, or the stream is no more what it was.
    Unsettled(String),
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
    answers: Subscriber,
    place: Place,
    /// The last position sent; the last one known to be stored is `place.position`.
    sent: i64,
    asked: VecDeque<Asked>,
    bytes: usize,
}

/// A message whose acknowledgement is awaited.
struct Asked {
    position: i64,
    /// Of it, and those before it since the last one asked.
    bytes: usize,
    until: Instant,
}

impl<'a> Session<'a> {
    pub(crate) async fn open(
        link: &'a Link,
        broker: &'a Broker<'a>,
        config: &'a Config,
        reporter: &'a Reporter,
        place: Place,
    ) -> Result<Self, Trouble> {
        // an inbox of its own: answers to a session before are not heard
        let inbox = link.client().new_inbox();
        let answers = link.client().subscribe(format!("{inbox}.*")).await;
        let answers = answers.map_err(|error| Trouble::Unavailable(error.to_string()))?;
        let session = Self {
            client: link.client(),
            broker,
            config,
            reporter,
            inbox,
            answers,
            place,
            sent: place.position,
            asked: VecDeque::new(),
            bytes: 0,
        };
        session.report();
        Ok(session)
    }

    /// Whether the broker has taken anything.
    pub(crate) fn has_moved(&self, from: Place) -> bool {
        self.place.position > from.position
    }

    /// Publishes what comes. `loss`: when the connection is lost.
    pub(crate) async fn run(&mut self, store: &EventStore, loss: impl Future<Output = ()>) -> Ended {
        let mut loss = std::pin::pin!(loss);
        let mut feed = Feed::start(store, Position(self.place.position), self.config);
        let mut look = Instant::now() + stretched(self.config.poll);
        loop {
            let room = self.sent - self.place.position < WINDOW && self.bytes < WINDOW_BYTES;
            let silent_at = self.asked.front().map(|asked| asked.until);
            let step = tokio::select! {
                biased;
                () = &mut loss => Err(Ended::Broken),
                answer = self.answers.next() => match answer {
                    Some(message) => self.answered(&Answer::of(&message)),
                    None => Err(Ended::Broken),
                },
                stride = feed.next(), if room => match stride {
                    Some(stride) => tokio::select! {
                        () = &mut loss => Err(Ended::Broken),
                        sent = self.publish(stride) => sent,
                    },
                    None => Err(Ended::Closed),
                },
                () = tokio::time::sleep_until(silent_at.unwrap_or(look)) => if silent_at.is_some() {
                    Err(Ended::Unsettled("the broker does not acknowledge".into()))
                } else {
                    look = Instant::now() + stretched(self.config.poll);
                    tokio::select! {
                        () = &mut loss => Err(Ended::Broken),
                        settled = self.look() => settled,
                    }
                },
            };
            if let Err(ended) = step {
                return ended;
            }
        }
    }

    async fn publish(&mut self, stride: Vec<Message>) -> Result<(), Ended> {
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
            published.map_err(|error| Ended::Unsettled(format!("event {position} can't be published: {error}")))?;
            self.sent = position;
        }
        failpoints::published(self.client).await;
        self.bytes += bytes;
        self.asked.push_back(Asked { position: self.sent, bytes, until: Instant::now() + ACK_TIMEOUT });
        Ok(())
    }

    fn answered(&mut self, answer: &Answer) -> Result<(), Ended> {
        let sequence = match answer {
            Answer::Stored(sequence) => i64::try_from(*sequence).unwrap_or(i64::MAX),
            Answer::OutOfTurn => return Err(Ended::Overtaken),
            Answer::Failed(reason) => return Err(Ended::Unsettled(reason.clone())),
        };
        let Some(asked) = self.asked.pop_front() else { return Ok(()) };
        if asked.position != sequence {
            // the broker would have had to ignore the fence
            return Err(Ended::Unsettled(format!("event {} was stored as message {sequence}", asked.position)));
        }
        failpoints::ACKNOWLEDGED.reached();
        self.bytes -= asked.bytes;
        METRICS.published.add(self.place.position.abs_diff(sequence), &[]);
        self.place.position = sequence;
        self.report();
        Ok(())
    }

    fn report(&self) {
        let state = if self.place.position >= self.place.head { State::Live } else { State::Filling };
        self.reporter.at(state, self.place.position);
    }

    /// Looks, while there is nothing to do, whether the stream is still what it should be: another relay may have come,
    /// or the broker may have lost what it acknowledged.
    async fn look(&self) -> Result<(), Ended> {
        let unsettled = |reason: String| Ended::Unsettled(reason);
        let held = match self.broker.held().await {
            Ok(Some(held)) => held,
            Ok(None) => return Err(unsettled("the stream is gone".into())),
            Err(Trouble::Unavailable(reason)) => return Err(unsettled(reason)),
            Err(Trouble::Halt(halt)) => return Err(unsettled(halt.to_string())),
        };
        let last = i64::try_from(held.last).unwrap_or(i64::MAX);
        if !held.is_whole() {
            Err(unsettled("messages are missing".into()))
        } else if last > self.place.position {
            Err(Ended::Overtaken)
        } else if last < self.place.position {
            Err(unsettled(format!("the stream ends at {last}, and had acknowledged {}", self.place.position)))
        } else {
            Ok(())
        }
    }
}
