//! Steady callers, whom an attack must not harm: reads and commands at a moderate rate. Each request is sent when it is due,
//! even if earlier ones are unanswered (open loop); latency counts from the due time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::ledger::Ledger;
use crate::server::Server;

/// What a caller asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A ticket, from the log.
    Ticket,
    /// A list, from a read model.
    List,
    /// A note: a command.
    Note,
}

/// A request, and what became of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) what: What,
    pub(crate) due: Instant,
    pub(crate) took: Duration,
    /// Zero: no answer.
    pub(crate) status: u16,
    /// A refusal that says when to try again.
    pub(crate) retry_after: bool,
}

impl Sample {
    pub(crate) fn is_answered(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Callers at work, until dropped.
pub(crate) struct Steady {
    samples: Arc<Mutex<Vec<Sample>>>,
    _callers: JoinSet<()>,
}

#[derive(Clone)]
struct Caller {
    http: reqwest::Client,
    key: String,
    ticket: String,
    list: String,
    ledger: Ledger,
    samples: Arc<Mutex<Vec<Sample>>>,
}

impl Steady {
    pub(crate) async fn start(server: &Server, callers: u32, rate: u32, ledger: &Ledger) -> Result<Self> {
        let samples = Arc::<Mutex<Vec<Sample>>>::default();
        let mut tasks = JoinSet::new();
        let pause = Duration::from_secs(1) * callers / rate;
        for n in 0..callers {
            let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(35)).build()?;
            let key = server.key(&format!("caller{n}"))?;
            let body = json!({"subject": format!("steady {n}"), "body": "Please help."});
            let opened = http.post(server.url("/v1/tickets")).bearer_auth(&key).json(&body).send().await?;
            let ticket: Value = opened.error_for_status()?.json().await?;
            let id = ticket["id"].as_str().context("no id")?;
            let caller = Caller {
                http,
                key,
                ticket: server.url(&format!("/v1/tickets/{id}")),
                list: server.url("/v1/tickets?limit=20"),
                ledger: ledger.clone(),
                samples: samples.clone(),
            };
            // spread over the interval
            tasks.spawn(caller.work(pause * n / callers, pause));
        }
        Ok(Self { samples, _callers: tasks })
    }

    /// What was due since a moment, as far as its outcome is known.
    pub(crate) fn since(&self, from: Instant) -> Vec<Sample> {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.iter().filter(|sample| sample.due >= from).copied().collect()
    }
}

impl Caller {
    async fn work(self, first: Duration, pause: Duration) {
        let mut due = tokio::time::interval_at(tokio::time::Instant::now() + first, pause);
        due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
        let mut sent = JoinSet::new();
        for n in 0_u32.. {
            let at = due.tick().await.into_std();
            let what = [What::Ticket, What::Note, What::List, What::Ticket, What::Note][n as usize % 5];
            sent.spawn(self.clone().send(what, at));
            while sent.try_join_next().is_some() {}
        }
    }

    async fn send(self, what: What, due: Instant) {
        let nonce = self.ledger.nonce();
        let request = match what {
            What::Ticket => self.http.get(&self.ticket),
            What::List => self.http.get(&self.list),
            What::Note => {
                let key = nonce.clone();
                self.http
                    .post(format!("{}/notes", self.ticket))
                    .header("idempotency-key", key)
                    .json(&json!({"body": nonce}))
            }
        };
        let answer = request.bearer_auth(&self.key).send().await;
        let (status, retry_after) = match answer {
            Ok(answer) => {
                let told = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
                // the whole answer is what counts
                match answer.bytes().await {
                    Ok(body) if body.windows(15).any(|window| window == b"outcome_unknown") => (504, told.1),
                    Ok(_) => told,
                    Err(_) => (0, false),
                }
            }
            Err(_) => (0, false),
        };
        if what == What::Note {
            self.ledger.answered(nonce, status);
        }
        let sample = Sample { what, due, took: due.elapsed(), status, retry_after };
        self.samples.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
    }
}

/// The time that so many hundredths of the samples did not exceed.
pub(crate) fn quantile(samples: &[Sample], hundredths: usize) -> Duration {
    let mut times = samples.iter().map(|sample| sample.took).collect::<Vec<_>>();
    times.sort_unstable();
    let index = (times.len() * hundredths).div_ceil(100).saturating_sub(1);
    times.get(index).copied().unwrap_or_default()
}
