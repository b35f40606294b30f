//! A verified key in memory: who calls with it, and as of when that is known.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use shared_kernel::Principal;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;

/// How old the knowledge may be without being checked. Revocation is to reach every process within 5 s.
const CHECK_AFTER: Duration = Duration::from_secs(2);
/// How long a request waits for a check, its own or another's.
const PATIENCE: Duration = Duration::from_millis(500);
/// How old the knowledge may be while checks don't come to an end: the log can't be read then, and a list needs only the
/// read models. Nothing is revoked in a log that is locked.
const OUTAGE: Duration = Duration::from_mins(1);

pub(super) struct Remembered {
    /// The number of the secret that was brought.
    pub(super) secret: i32,
    caller: RwLock<Arc<Principal>>,
    epoch: Instant,
    /// As of when the caller is known, in milliseconds since `epoch`.
    known_at: AtomicU64,
    /// When a request last waited in vain, in milliseconds since `epoch`; zero: never since the last check.
    stuck_at: AtomicU64,
    checking: Arc<Mutex<()>>,
}

/// What to do about a request with a remembered key.
pub(super) enum Recall {
    /// The caller is known well enough.
    Known(Arc<Principal>),
    /// It is this request's turn to check the log. Others wait until the guard is dropped.
    Check(OwnedMutexGuard<()>),
    /// Too little is known, and the log gives no answer.
    Unknown,
}

impl Remembered {
    /// `known_at`: milliseconds since `epoch`.
    pub(super) fn new(caller: Arc<Principal>, secret: i32, epoch: Instant, known_at: u64) -> Self {
        Self {
            secret,
            caller: RwLock::new(caller),
            epoch,
            known_at: AtomicU64::new(known_at),
            stuck_at: AtomicU64::new(0),
            checking: Arc::default(),
        }
    }

    pub(super) async fn recall(&self) -> Recall {
        if self.is_known_within(CHECK_AFTER) || (self.is_stuck() && self.is_known_within(OUTAGE)) {
            return Recall::Known(self.caller());
        }
        match timeout(PATIENCE, self.checking.clone().lock_owned()).await {
            // somebody else has checked meanwhile
            Ok(_) if self.is_known_within(CHECK_AFTER) => Recall::Known(self.caller()),
            Ok(turn) => Recall::Check(turn),
            Err(_) => self.give_up().map_or(Recall::Unknown, Recall::Known),
        }
    }

    /// The outcome of a check, if it comes in time; it goes on if it doesn't. `None`: it did not.
    pub(super) async fn wait<T>(check: tokio::task::JoinHandle<T>) -> Option<T> {
        timeout(PATIENCE, check).await.ok()?.ok()
    }

    /// No check has come to an end in time: what is known must do for a while, if it is not too old.
    pub(super) fn give_up(&self) -> Option<Arc<Principal>> {
        self.stuck_at.store(self.now(), Ordering::Relaxed);
        self.is_known_within(OUTAGE).then(|| self.caller())
    }

    /// Takes over what a check has found that began at `known_at`.
    pub(super) fn update(&self, caller: Arc<Principal>, known_at: u64) {
        *self.caller.write().unwrap_or_else(PoisonError::into_inner) = caller;
        self.known_at.fetch_max(known_at, Ordering::Relaxed);
        self.stuck_at.store(0, Ordering::Relaxed);
    }

    fn caller(&self) -> Arc<Principal> {
        self.caller.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a request has waited in vain just now: the next ones need not.
    fn is_stuck(&self) -> bool {
        let stuck_at = self.stuck_at.load(Ordering::Relaxed);
        stuck_at > 0 && self.now().saturating_sub(stuck_at) < millis(CHECK_AFTER)
    }

    fn is_known_within(&self, age: Duration) -> bool {
        self.now().saturating_sub(self.known_at.load(Ordering::Relaxed)) < millis(age)
    }

    fn now(&self) -> u64 {
        millis(self.epoch.elapsed())
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
