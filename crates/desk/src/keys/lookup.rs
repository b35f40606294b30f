//! Look-ups of keys travel together: while one statement is under way, those that come wait for the next, which takes
//! all of them. So a flood of unknown ids costs the database one connection and a few statements, and who comes
//! with a valid key in the middle of it waits for two statements at the most.

use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};

use super::secrets::{self, SecretRow};
use super::{AuthError, KeyId};

/// How many may wait; one more is told that there are too many.
const WAITING: usize = 4_096;
/// How many ids a statement takes.
const BATCH: usize = 1_024;

type Found = Result<Arc<[SecretRow]>, eventstore::StoreError>;

struct Job {
    id: KeyId,
    answer: oneshot::Sender<Found>,
}

/// The handle of the task that looks keys up. The task ends with the last handle.
#[derive(Debug)]
pub(super) struct Lookups {
    queue: mpsc::Sender<Job>,
}

impl Lookups {
    pub(super) fn start(pool: PgPool) -> Self {
        let (queue, jobs) = mpsc::channel(WAITING);
        tokio::spawn(run(pool, jobs));
        Self { queue }
    }

    /// The secrets of the key with this id; none if there is no such key.
    pub(super) async fn find(&self, id: &KeyId) -> Result<Arc<[SecretRow]>, AuthError> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Job { id: id.clone(), answer }).map_err(|_| AuthError::Busy)?;
        Ok(answered.await.map_err(|_| AuthError::Busy)??)
    }
}

async fn run(pool: PgPool, mut jobs: mpsc::Receiver<Job>) {
    let mut batch = Vec::new();
    while jobs.recv_many(&mut batch, BATCH).await > 0 {
        // who has hung up meanwhile needs no answer
        batch.retain(|job| !job.answer.is_closed());
        let ids = batch.iter().map(|job| job.id.as_str()).collect::<Vec<_>>();
        let found = secrets::find(&pool, &ids).await.map_err(eventstore::StoreError::from);
        for job in batch.drain(..) {
            let secrets = found.as_ref().map(|found| found.get(job.id.as_str()).cloned().unwrap_or_default());
            let secrets = secrets.map_err(Clone::clone);
            job.answer.send(secrets).ok();
        }
    }
}
