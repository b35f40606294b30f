//! The attacks. Each is paced: what it costs the attacker is not what it is to show.

mod bodies;
mod flood;
mod headers;
mod idle;
mod keys;
mod lock;
mod slow_consumers;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use crate::connection::Reply;
use crate::ledger::Ledger;

/// What is attacked, and with what.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) database: String,
    /// Keys of attackers; the steady callers have others.
    pub(crate) keys: Vec<String>,
    /// Tickets to write to.
    pub(crate) tickets: Vec<String>,
    /// A ticket to read.
    pub(crate) long: Long,
    /// The id of a key that is valid, and that the attacker does not have.
    pub(crate) known_id: String,
    pub(crate) ledger: Ledger,
    pub(crate) tally: Tally,
}

/// A ticket of five hundred replies of 60 kB.
#[derive(Clone)]
pub(crate) struct Long {
    /// Its path.
    pub(crate) ticket: String,
    /// Where the log was before them.
    pub(crate) position: u64,
}

impl Long {
    pub(crate) const REPLIES: usize = 500;
    pub(crate) const BYTES: usize = 60_000;
}

/// An attack, and what is promised while it goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    kind: Kind,
    pub(crate) lasts: Duration,
    pub(crate) promise: Promise,
}

/// What of the steady callers' requests is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// All are answered, and the 99th percentile is within twice that of quiet times.
    Unharmed,
    /// What is answered, is answered; the rest hears 503 with `Retry-After`.
    Shed,
    /// Lists are answered as in quiet times; commands hear 503 with `Retry-After`, soon.
    ListsUnharmed,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    LargeBodies {
        declared: bool,
    },
    /// Bodies of 1 MB in which almost everything is wrong.
    InvalidBodies,
    SlowHeaders,
    SlowBodies,
    Idle,
    WrongKeys(keys::Wrong),
    BeyondTheLimit,
    SlowConsumers,
    Flood,
    Lock,
}

/// Connections that idle.
pub(crate) const IDLE: usize = 10_000;

/// All of them, in the order in which they are made.
pub(crate) fn all() -> Vec<Attack> {
    let attack =
        |name, what, kind| Attack { name, what, kind, lasts: Duration::from_secs(10), promise: Promise::Unharmed };
    vec![
        attack("large-bodies", "bodies of 10 MB, declared, 10/s", Kind::LargeBodies { declared: true }),
        attack("endless-bodies", "bodies of 10 MB, chunked, 10/s", Kind::LargeBodies { declared: false }),
        attack(
            "invalid-bodies",
            "16 clients: 1 MB with 500,000 wrong tags, or 105,000 unknown members",
            Kind::InvalidBodies,
        ),
        Attack {
            lasts: Duration::from_secs(14),
            ..attack("slow-headers", "500 connections, a byte of header a second", Kind::SlowHeaders)
        },
        Attack {
            lasts: Duration::from_secs(24),
            ..attack("slow-bodies", "500 connections, a byte of body a second", Kind::SlowBodies)
        },
        Attack { lasts: Duration::from_secs(20), ..attack("idle", "10,000 connections that idle", Kind::Idle) },
        attack("bad-checksum", "500/s with mistyped keys", Kind::WrongKeys(keys::Wrong::Checksum)),
        attack("unknown-id", "500/s with unknown key ids", Kind::WrongKeys(keys::Wrong::Id)),
        attack("wrong-secret", "500/s with the id of a valid key", Kind::WrongKeys(keys::Wrong::Secret)),
        attack("one-key", "one key beyond its limit, 2,000/s", Kind::BeyondTheLimit),
        attack("slow-consumers", "256 live streams of 30 MB, unread, and pages of it, 20/s", Kind::SlowConsumers),
        Attack { promise: Promise::Shed, ..attack("flood", "2,048 clients that write without a pause", Kind::Flood) },
        Attack {
            lasts: Duration::from_secs(30),
            promise: Promise::ListsUnharmed,
            ..attack("lock", "lock table events, 30 s", Kind::Lock)
        },
    ]
}

impl Attack {
    /// Goes on until its time is over.
    pub(crate) async fn run(self, target: Target) -> Result<()> {
        let end = Instant::now() + self.lasts;
        match self.kind {
            Kind::LargeBodies { declared } => bodies::large(target, declared, end).await,
            Kind::InvalidBodies => bodies::invalid(target, end).await,
            Kind::SlowBodies => bodies::slow(target, end).await,
            Kind::SlowHeaders => headers::slow(target, end).await,
            Kind::Idle => idle::hold(target, end).await,
            Kind::WrongKeys(wrong) => keys::flood(target, wrong, end).await,
            Kind::BeyondTheLimit => flood::one_key(target, end).await,
            Kind::SlowConsumers => slow_consumers::read_nothing(target, end).await,
            Kind::Flood => flood::writers(target, end).await,
            Kind::Lock => lock::hold(target, self.lasts).await,
        }
    }
}

/// What the attacker was answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Arc<Mutex<Answers>>);

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Answers {
    /// How many of each status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Connections that were ended without an answer.
    pub(crate) cut_off: u64,
    /// 408, 429 and 503 without `Retry-After`.
    pub(crate) without_retry_after: u64,
}

impl Tally {
    #[expect(clippy::needless_pass_by_value, reason = "nobody needs it afterwards")]
    fn count(&self, reply: std::io::Result<Reply>) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match reply {
            Ok(reply) => {
                *answers.statuses.entry(reply.status).or_default() += 1;
                let told = reply.retry_after.is_some_and(|seconds| seconds >= 1);
                answers.without_retry_after += u64::from(matches!(reply.status, 408 | 429 | 503) && !told);
            }
            Err(_) => answers.cut_off += 1,
        }
    }

    /// What was counted, and from now on anew.
    pub(crate) fn take(&self) -> Answers {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
