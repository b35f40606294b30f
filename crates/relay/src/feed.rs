//! Turns the log into messages ahead of publishing.

use eventstore::{EventStore, Position};
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::{Config, Message};

/// The messages per acknowledgement. The last one's acknowledgement proves all: each expects the one before it.
pub(crate) const STRIDE: usize = 64;
/// The number of strides that may wait.
const AHEAD: usize = 16;

/// The messages after a position in strides, which are never empty.
#[derive(Debug)]
pub(crate) struct Feed {
    strides: mpsc::Receiver<Vec<Message>>,
    task: JoinHandle<()>,
}

impl Feed {
    pub(crate) fn start(store: &EventStore, after: Position, config: &Config) -> Self {
        let (strides, receiver) = mpsc::channel(AHEAD);
        let (store, config) = (store.clone(), config.clone());
        let task = tokio::spawn(async move {
            let mut chunks = std::pin::pin!(store.follow(after));
            while let Some(chunk) = chunks.next().await {
                for stride in chunk.chunks(STRIDE) {
                    let messages = stride.iter().map(|event| Message::of(event, &config)).collect();
                    if strides.send(messages).await.is_err() {
                        return;
                    }
                }
            }
        });
        Self { strides: receiver, task }
    }

    /// `None` when the log is closed.
    pub(crate) async fn next(&mut self) -> Option<Vec<Message>> {
        self.strides.recv().await
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}
