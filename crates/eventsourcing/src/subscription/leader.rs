use std::fmt::Debug;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eventstore::{EventStore, Lead, SubscriptionError};
use tokio::task::JoinSet;

/// The pauses after an error: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The pause before the next attempt: 100 ms at first, then twice as long each time, up to 5 s. Cheap to clone; all clones
/// are one.
#[derive(Clone, Debug)]
pub struct Backoff(Arc<Mutex<Duration>>);

impl Default for Backoff {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(PAUSES.0)))
    }
}

impl Backoff {
    /// It works: the next pause is short again.
    pub fn reset(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = PAUSES.0;
    }

    /// Waits, and doubles the next pause.
    pub async fn wait(&self) {
        tokio::time::sleep(self.next()).await;
    }

    fn next(&self) -> Duration {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = *next;
        *next = (pause * 2).min(PAUSES.1);
        pause
    }
}

/// Does a job whenever this process leads for a name, until the store is closed. The job works until something goes wrong,
/// and says what; it resets the backoff when it gets on. A panic is an error like any other. May be dropped at any moment.
pub async fn lead<J, F, E>(store: &EventStore, name: &str, job: J)
where
    J: Fn(Lead, Backoff) -> F,
    F: Future<Output = E> + Send + 'static,
    E: Debug + Send + 'static,
{
    let backoff = Backoff::default();
    loop {
        match store.lead(name).await {
            Ok(lead) => {
                tracing::info!(name, "leads");
                let mut attempt = JoinSet::new();
                attempt.spawn(job(lead, backoff.clone()));
                match attempt.join_next().await {
                    Some(Err(error)) => tracing::error!(name, %error, "a leader panicked; it is restarted"),
                    Some(Ok(error)) => tracing::warn!(name, ?error, "the lead is given up for now"),
                    None => {}
                }
            }
            Err(SubscriptionError::Closed) => return,
            Err(error) => tracing::warn!(name, ?error, "can't take the lead"),
        }
        backoff.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_the_longest_pause() {
        let backoff = Backoff::default();
        let pauses = [(); 8].map(|()| backoff.next().as_millis());
        assert_eq!(pauses, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        backoff.clone().reset();
        assert_eq!(backoff.next().as_millis(), 100);
    }
}
