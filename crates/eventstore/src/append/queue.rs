//! The appends that wait for the next batch.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::flusher::reply;
use super::{Job, Message};
use crate::AppendError;
use crate::metrics::METRICS;

/// The appends that were not sent yet.
pub(super) struct Queue {
    pub(super) messages: mpsc::Receiver<Message>,
    pub(super) waiting: VecDeque<Job>,
}

impl Queue {
    pub(super) fn accept(&mut self, message: Message) {
        match message {
            Message::Append(job) => self.waiting.push_back(*job),
            // what is queued already is still received and answered
            Message::Close => self.messages.close(),
        }
    }

    /// Receives what is there, up to two batches.
    pub(super) fn receive(&mut self, batch: usize) {
        while self.waiting.len() < batch * 2
            && let Ok(message) = self.messages.try_recv()
        {
            self.accept(message);
        }
    }

    /// Lets callers that were just answered append again before the next batch is sent: they get two turns of the runtime,
    /// unless as many have come as were answered, or the batch is full. One turn is not enough on several threads: tasks that
    /// another thread has stolen are still running when this task's turn comes.
    pub(super) async fn coalesce(&mut self, answered: usize, batch: usize) {
        self.receive(batch);
        let all = (self.waiting.len() + answered).min(batch);
        for _ in 0..2 {
            if self.waiting.len() < all {
                tokio::task::yield_now().await;
                self.receive(batch);
            }
        }
    }

    /// Refuses all waiting appends; none was sent.
    pub(super) fn shed(&mut self) {
        while let Ok(message) = self.messages.try_recv() {
            self.accept(message);
        }
        METRICS.overloads.add(self.waiting.len() as u64, &[]);
        self.waiting.drain(..).for_each(|job| reply(job, Err(AppendError::Overloaded)));
    }
}
