//! The log as messages: read and written out while those before are under way.

use eventstore::{EventStore, Position};
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::{Config, Message};

/// How many messages go between two acknowledgements. The last one's proves them all: each stands on the one before.
pub(crate) const STRIDE: usize = 64;
/// How many strides may wait.
const AHEAD: usize = 16;

/// The messages after a position, in strides: never empty, shorter only where there is no more yet.
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
