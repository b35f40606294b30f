//! Verification costs about 100 ms of a core on purpose (argon2id), in a few workers off the async
//! threads; a verified key is remembered for a short time under a hash that is keyed by a secret of
//! this process, so that the cost is paid once and memory holds no usable key.
//!
//! A wrong secret hardly ever comes so far: 16 bits of another hash, the sieve, tell 65,535 of 65,536 of them at once
//! (docs/adr/0023). One that passes is remembered, too, so that it can't be brought again and again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use hmac::{Hmac, KeyInit, Mac};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, UpDownCounter};
use rand::Rng;
use sha2::{Digest, Sha256};
use tokio::sync::{OnceCell, Semaphore};

use super::AuthError;
use super::remembered::{Remembered, millis};
use super::token::Token;
use shared_kernel::Principal;

/// How long a verified key is remembered without being used.
const REMEMBERED: Duration = Duration::from_mins(10);
/// How many verifications may wait; one more is refused, so that a flood of wrong keys is not a lever.
const WAITING: usize = 64;
/// Memory (KiB), passes and lanes of argon2id: about 100 ms on the machines that this was made for.
const COST: (u32, u32, u32) = (64 * 1024, 3, 1);

pub(super) struct Memory {
    secret: [u8; 32],
    started: Instant,
    remembered: moka::sync::Cache<[u8; 32], Arc<Remembered>>,
    verifying: Mutex<HashMap<[u8; 32], Arc<OnceCell<bool>>>>,
    /// Wrong secrets that the sieve let pass.
    refused: moka::sync::Cache<[u8; 32], ()>,
    workers: Arc<Semaphore>,
    waiting: AtomicUsize,
    runs: AtomicU64,
    queue: UpDownCounter<i64>,
    outcomes: Counter<u64>,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Memory {
    pub(super) fn new(workers: usize) -> Self {
        let mut secret = [0; 32];
        rand::rng().fill_bytes(&mut secret);
        let meter = opentelemetry::global::meter("docket");
        Self {
            secret,
            started: Instant::now(),
            remembered: moka::sync::Cache::builder().max_capacity(100_000).time_to_idle(REMEMBERED).build(),
            verifying: Mutex::default(),
            refused: moka::sync::Cache::builder().max_capacity(10_000).time_to_idle(REMEMBERED).build(),
            workers: Arc::new(Semaphore::new(workers.max(1))),
            waiting: AtomicUsize::new(0),
            runs: AtomicU64::new(0),
            queue: meter
                .i64_up_down_counter("docket_key_verifications_waiting")
                .with_description("API keys waiting for argon2id or being verified")
                .build(),
            outcomes: meter
                .u64_counter("docket_key_verifications")
                .with_description(
                    "API keys that were not remembered, by outcome: matched, refused (by argon2id), sieved, busy",
                )
                .build(),
        }
    }

    fn digest(&self, token: &Token) -> [u8; 32] {
        self.digest_with(token, "")
    }

    /// A digest of a token beside one of the hashes that it may belong to.
    fn digest_with(&self, token: &Token, hash: &str) -> [u8; 32] {
        // an HMAC takes a key of any length
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.secret) else { unreachable!("a fixed length") };
        mac.update(token.id().as_str().as_bytes());
        mac.update(token.secret().as_bytes());
        mac.update(hash.as_bytes());
        mac.finalize().into_bytes().into()
    }

    pub(super) fn recall(&self, token: &Token) -> Option<Arc<Remembered>> {
        self.remembered.get(&self.digest(token))
    }

    /// The time by which [`Self::remember`] knows how old the knowledge is.
    pub(super) fn now(&self) -> u64 {
        millis(self.started.elapsed())
    }

    /// Remembers a verified key, of whom is known who they were at that time.
    pub(super) fn remember(&self, token: &Token, secret: i32, caller: Arc<Principal>, known_at: u64) {
        let remembered = Remembered::new(caller, secret, self.started, known_at);
        self.remembered.insert(self.digest(token), Arc::new(remembered));
    }

    pub(super) fn forget(&self, token: &Token) {
        self.remembered.invalidate(&self.digest(token));
    }

    /// The PHC string that is stored instead of the secret.
    pub(super) async fn hash(&self, token: &Token) -> Result<String, AuthError> {
        let secret = token.secret().to_owned();
        let hashed = self.work(move || argon2().hash_password(secret.as_bytes()).map(|hash| hash.to_string())).await?;
        hashed.map_err(|_| sqlx::Error::Encode("the key could not be hashed".into()).into())
    }

    /// Whether the token is the one that was hashed. Many that bring one token at once, such as the
    /// clients of a server that was started again, wait for one verification.
    pub(super) async fn matches(&self, token: &Token, hash: &str, kept: i16) -> Result<bool, AuthError> {
        let digest = self.digest_with(token, hash);
        if kept != sieve(hash, token) || self.refused.contains_key(&digest) {
            self.count("sieved");
            return Ok(false);
        }
        let verification = Verification::join(self, digest);
        let verify = || {
            let (secret, hash) = (token.secret().to_owned(), hash.to_owned());
            self.work(move || {
                PasswordHash::new(&hash).is_ok_and(|hash| argon2().verify_password(secret.as_bytes(), &hash).is_ok())
            })
        };
        let outcome = verification.outcome.get_or_try_init(verify).await.copied();
        match outcome {
            Ok(true) => self.count("matched"),
            Ok(false) => {
                self.refused.insert(digest, ());
                self.count("refused");
            }
            Err(_) => self.count("busy"),
        }
        outcome
    }

    pub(super) fn verifications(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    fn count(&self, outcome: &'static str) {
        self.outcomes.add(1, &[KeyValue::new("outcome", outcome)]);
    }

    /// Runs what burns a core, on a thread that may.
    async fn work<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, AuthError> {
        let _place = Place::take(self).ok_or(AuthError::Busy)?;
        let worker = self.workers.clone().acquire_owned().await.map_err(|_| AuthError::Busy)?;
        self.runs.fetch_add(1, Ordering::Relaxed);
        // the core is busy to the end of the job, also when nobody waits for it any more
        let job = move || {
            let _worker = worker;
            job()
        };
        tokio::task::spawn_blocking(job).await.map_err(|_| AuthError::Busy)
    }
}

/// Sixteen bits of a hash of the secret, salted with what is stored of it: who does not know the row can't find
/// secrets that pass but by trying them here.
pub(super) fn sieve(hash: &str, token: &Token) -> i16 {
    let digest = Sha256::new().chain_update(hash).chain_update(token.secret()).finalize();
    i16::from_be_bytes([digest[0], digest[1]])
}

fn argon2() -> Argon2<'static> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// A verification under way, which all share who bring the same token; the last of them forgets it.
struct Verification<'a> {
    memory: &'a Memory,
    digest: [u8; 32],
    outcome: Arc<OnceCell<bool>>,
}

impl<'a> Verification<'a> {
    fn join(memory: &'a Memory, digest: [u8; 32]) -> Self {
        let mut verifying = memory.verifying.lock().unwrap_or_else(PoisonError::into_inner);
        Self { memory, digest, outcome: verifying.entry(digest).or_default().clone() }
    }
}

impl Drop for Verification<'_> {
    fn drop(&mut self) {
        let mut verifying = self.memory.verifying.lock().unwrap_or_else(PoisonError::into_inner);
        // the map's and this one: clones are made under the lock only
        if Arc::strong_count(&self.outcome) <= 2 {
            verifying.remove(&self.digest);
        }
    }
}

/// A place in the queue, given back when the caller goes away.
struct Place<'a>(&'a Memory);

impl<'a> Place<'a> {
    fn take(memory: &'a Memory) -> Option<Self> {
        if memory.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            memory.waiting.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        memory.queue.add(1, &[]);
        Some(Self(memory))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        self.0.queue.add(-1, &[]);
    }
}
