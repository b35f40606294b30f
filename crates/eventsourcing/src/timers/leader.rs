use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use eventstore::{Lead, Position, StoreError, StreamId, Version};
use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use super::metrics::METRICS;
use super::{Backlog, DueTimers, DueTimes, Outcome, Status, Timer};
use crate::subscription::Backoff;

/// The most commands at a time.
const CONCURRENT: usize = 16;
/// How many new timers are read at a time.
const READ: usize = 256;
/// The most timers whose answer the model has not passed; while there are so many, no others are read.
const UNPASSED: usize = 4_096;
/// The longest time between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// How long a command may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How often the gauges are updated.
const MEASURE: Duration = Duration::from_secs(5);
/// How often stale rows of what is held back are removed.
const REMOVE_STALE: Duration = Duration::from_mins(1);
/// How long a timer is held back after its first attempt, and at most.
const HELD_BACK: (Duration, Duration) = (Duration::from_secs(2), Duration::from_hours(4));

/// Why the leader gives up for now.
#[derive(Debug)]
pub(super) enum Interrupted {
    /// The model or the leadership.
    #[expect(dead_code, reason = "shown by `Debug` in the log")]
    Store(StoreError),
    /// The commands.
    #[expect(dead_code, reason = "shown by `Debug` in the log")]
    Unavailable(String),
}

impl From<StoreError> for Interrupted {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Says in the status that this process leads, as long as it does.
pub(super) struct Leading<'a>(&'a watch::Sender<Status>);

impl<'a> Leading<'a> {
    pub(super) fn begin(status: &'a watch::Sender<Status>) -> Self {
        status.send_replace(Status { leads: true, ..Status::default() });
        Self(status)
    }
}

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        self.0.send_replace(Status::default());
        METRICS.record(&Backlog::default());
    }
}

/// What makes a timer that one.
type Key = (StreamId, String, Version);

fn key(timer: &Timer) -> Key {
    (timer.stream, timer.kind.clone(), timer.set_by)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// In the queue, or running.
    Issued,
    /// The model has the timer until it has passed the position.
    Answered(Position),
}

pub(super) struct Leader<'a, D, F> {
    lead: Lead,
    due_times: D,
    fire: F,
    status: &'a watch::Sender<Status>,
    known: HashMap<Key, Known>,
    queue: VecDeque<Timer>,
    running: JoinSet<(Timer, Outcome)>,
}

impl<'a, D, F, Fut> Leader<'a, D, F>
where
    D: DueTimes,
    F: Fn(Timer) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    pub(super) fn new(lead: Lead, due_times: D, fire: F, status: &'a watch::Sender<Status>) -> Self {
        let (known, queue, running) = (HashMap::new(), VecDeque::new(), JoinSet::new());
        Self { lead, due_times, fire, status, known, queue, running }
    }

    /// Works until something goes wrong.
    pub(super) async fn work(mut self, backoff: &Backoff) -> Interrupted {
        loop {
            if let Err(interrupted) = self.work_on(backoff).await {
                return interrupted;
            }
        }
    }

    async fn work_on(&mut self, backoff: &Backoff) -> Result<(), Interrupted> {
        let mut measure = tokio::time::interval(MEASURE);
        let mut remove_stale = tokio::time::interval(REMOVE_STALE);
        for interval in [&mut measure, &mut remove_stale] {
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        let mut next_look = Instant::now();
        loop {
            tokio::select! {
                Some(Ok((timer, outcome))) = self.running.join_next() => self.settle(&timer, outcome, backoff).await?,
                () = tokio::time::sleep_until(next_look), if self.queue.is_empty() => {
                    next_look = Instant::now() + self.look().await?;
                }
                _ = measure.tick() => {
                    // also while commands hang and nothing is looked for
                    self.lead.check().await?;
                    let backlog = self.due_times.backlog().await?;
                    METRICS.record(&backlog);
                    self.status.send_replace(Status { leads: true, backlog });
                }
                _ = remove_stale.tick() => self.due_times.remove_stale().await?,
            }
            self.issue();
        }
    }

    /// Queues what is due, and says how long to wait for the next look.
    async fn look(&mut self) -> Result<Duration, Interrupted> {
        self.lead.check().await?;
        let new = if self.known.len() < UNPASSED { READ } else { 0 };
        let limit = self.known.len() + new;
        let DueTimers { timers, position, next_in } = self.due_times.due(limit).await?;
        let is_full = new > 0 && timers.len() == limit;
        for timer in timers {
            match self.known.get(&key(&timer)) {
                None => {
                    self.known.insert(key(&timer), Known::Issued);
                    self.queue.push_back(timer);
                }
                // the answer should have ended it
                Some(Known::Answered(answered)) if *answered <= position => {
                    self.hold_back(&timer, "failed", "still due after it was answered").await?;
                }
                Some(_) => {}
            }
        }
        self.known.retain(|_, known| !matches!(known, Known::Answered(answered) if *answered <= position));
        if is_full {
            return Ok(Duration::ZERO);
        }
        // a moment more: it is due then by the database's clock, too
        Ok(next_in.map_or(LOOK, |next_in| next_in + Duration::from_millis(1)).min(LOOK))
    }

    /// Starts what is queued, as far as it may run at once.
    fn issue(&mut self) {
        while self.running.len() < CONCURRENT {
            let Some(timer) = self.queue.pop_front() else { return };
            let fire = self.fire.clone();
            self.running.spawn(async move {
                let issued = timer.clone();
                let fired = AssertUnwindSafe(async move { fire(issued).await }).catch_unwind();
                let outcome = match tokio::time::timeout(ANSWER_WITHIN, fired).await {
                    Ok(Ok(outcome)) => outcome,
                    Ok(Err(_)) => Outcome::Failed { reason: "panicked".to_owned() },
                    Err(_) => Outcome::Failed { reason: format!("no answer within {ANSWER_WITHIN:?}") },
                };
                (timer, outcome)
            });
        }
    }

    async fn settle(&mut self, timer: &Timer, outcome: Outcome, backoff: &Backoff) -> Result<(), Interrupted> {
        METRICS.answered(&timer.kind, &outcome);
        match outcome {
            Outcome::Fired { position } | Outcome::Superseded { position } => {
                if timer.attempts > 0 {
                    self.due_times.release(timer).await?;
                }
                self.known.insert(key(timer), Known::Answered(position));
            }
            Outcome::Refused { reason } => self.hold_back(timer, "refused", &reason).await?,
            Outcome::Failed { reason } => self.hold_back(timer, "failed", &reason).await?,
            Outcome::Unavailable { reason } => return Err(Interrupted::Unavailable(reason)),
        }
        backoff.reset();
        Ok(())
    }

    async fn hold_back(&mut self, timer: &Timer, outcome: &'static str, reason: &str) -> Result<(), Interrupted> {
        let pause = pause(timer.attempts);
        let Timer { stream, kind, set_by, .. } = timer;
        tracing::warn!(%stream, kind, %set_by, outcome, reason, ?pause, "a timer is held back");
        self.due_times.hold_back(timer, outcome, reason, pause).await?;
        self.known.remove(&key(timer));
        Ok(())
    }
}

/// How long a timer is held back after so many attempts before this one.
fn pause(attempts: u32) -> Duration {
    let (first, longest) = HELD_BACK;
    first.saturating_mul(2_u32.saturating_pow(attempts)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_four_hours() {
        let seconds = [0, 1, 5, 12, 13, 14, u32::MAX].map(|attempts| pause(attempts).as_secs());
        assert_eq!(seconds, [2, 4, 64, 8_192, 14_400, 14_400, 14_400]);
    }
}
