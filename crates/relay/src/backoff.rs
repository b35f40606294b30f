//! Exponential backoff with jitter.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(4);

/// The next pause after a failure.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    pub(crate) async fn wait(&mut self) {
        self.failures = self.failures.saturating_add(1);
        tokio::time::sleep(pause(self.failures)).await;
    }
}

/// The pause after a number of failures in a row; half of it is jitter.
pub(crate) fn pause(failures: u32) -> Duration {
    let full = LONGEST.min(FIRST * 2_u32.saturating_pow(failures.min(16)));
    full / 2 + (full / 2).mul_f64(rand::random::<f64>())
}

/// A time with up to half of it added at random.
pub(crate) fn with_jitter(time: Duration) -> Duration {
    time + (time / 2).mul_f64(rand::random::<f64>())
}
