//! Supervises the private servers: one that ends, or no longer answers, is started again. Its data stays, and clients reconnect.

use std::future::Future;
use std::process::ExitStatus;
use std::sync::LazyLock;
use std::time::Duration;

use devstack::{Durability, Error, Nats, Postgres, Readable};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::config::Config;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// After a fault that heals, a server has to be back soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Where there is no program to run, each attempt looks for one to fetch.
const LONGEST_PAUSE_WITHOUT_PROGRAM: Duration = Duration::from_mins(1);
/// A server that has run for so long is well: the next pause is short again.
const STABLE: Duration = Duration::from_mins(2);
/// How often `JetStream` is asked, and how long an answer may take.
const CHECK_EVERY: Duration = Duration::from_secs(1);
const CHECK_LIMIT: Duration = Duration::from_secs(2);
/// How long `JetStream` may fail to answer before the server is started again.
const UNANSWERED: Duration = Duration::from_secs(6);

static RESTARTS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    opentelemetry::global::meter("docket")
        .u64_counter("docket_private_server_restarts")
        .with_description("starts of a private server after it ended, or stopped to answer")
        .build()
});

pub(crate) trait Private: Sized + Send + Sync + 'static {
    const NAME: &'static str;

    fn start(config: &Config) -> impl Future<Output = Result<Self, Error>> + Send;
    fn exited(&self) -> impl Future<Output = ExitStatus> + Send;
    /// Completes, with the reason, when the process lives but the server does not do its work.
    fn failed(&self) -> impl Future<Output = String> + Send;
    fn stop(self) -> impl Future<Output = Result<(), Error>> + Send;
    fn kill(self) -> impl Future<Output = Result<(), Error>> + Send;
}

impl Private for Postgres {
    const NAME: &'static str = "PostgreSQL";

    async fn start(config: &Config) -> Result<Self, Error> {
        Self::start(&config.data_dir, Durability::Durable).await
    }

    async fn exited(&self) -> ExitStatus {
        self.exited().await
    }

    async fn failed(&self) -> String {
        // it ends itself when it can't go on
        std::future::pending().await
    }

    async fn stop(self) -> Result<(), Error> {
        self.stop().await
    }

    async fn kill(self) -> Result<(), Error> {
        self.stop().await
    }
}

impl Private for Nats {
    const NAME: &'static str = "NATS";

    async fn start(config: &Config) -> Result<Self, Error> {
        let readable = Readable { stream: &config.nats_stream, subject_prefix: &config.nats_subject_prefix };
        Self::start_with_subscriber(&config.data_dir, readable).await
    }

    async fn exited(&self) -> ExitStatus {
        self.exited().await
    }

    async fn failed(&self) -> String {
        let mut answered = Instant::now();
        loop {
            tokio::time::sleep(CHECK_EVERY).await;
            match self.check_jetstream(CHECK_LIMIT).await {
                Ok(()) => answered = Instant::now(),
                Err(reason) if answered.elapsed() >= UNANSWERED => return reason,
                Err(reason) => tracing::debug!(reason, "the private NATS does not answer"),
            }
        }
    }

    async fn stop(self) -> Result<(), Error> {
        self.stop().await
    }

    async fn kill(self) -> Result<(), Error> {
        self.kill().await
    }
}

/// Keeps a server running in the background until `end` becomes true, then stops it. Without a server it starts one. `observe` gets
/// every start and every attempt that failed.
pub(crate) fn supervise<S: Private>(
    server: Option<S>,
    config: &Config,
    end: &watch::Receiver<bool>,
    observe: impl Fn(Result<&S, &Error>) + Send + Sync + 'static,
) -> JoinHandle<()> {
    // known from the start
    RESTARTS.add(0, &[KeyValue::new("server", S::NAME)]);
    let (config, end) = (config.clone(), end.clone());
    tokio::spawn(async move {
        let stop = until_set(end);
        tokio::pin!(stop);
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE_WITHOUT_PROGRAM);
        let mut server = server;
        loop {
            let running = if let Some(running) = server.take() {
                running
            } else {
                let started = tokio::select! {
                    started = S::start(&config) => started,
                    () = &mut stop => return,
                };
                observe(started.as_ref());
                match started {
                    Ok(started) => started,
                    Err(error) => {
                        let longest = match error {
                            Error::NatsUnavailable { .. } => LONGEST_PAUSE_WITHOUT_PROGRAM,
                            _ => LONGEST_PAUSE,
                        };
                        let pause = backoff.pause().min(longest);
                        tracing::error!(%error, retry_in = ?pause, "the private {} can't be started", S::NAME);
                        tokio::select! {
                            () = tokio::time::sleep(pause) => continue,
                            () = &mut stop => return,
                        }
                    }
                }
            };
            let since = Instant::now();
            let stopped = tokio::select! {
                status = running.exited() => {
                    tracing::error!(%status, "the private {} has ended; starting it again", S::NAME);
                    // it holds the lock of its folder
                    running.stop().await
                }
                reason = running.failed() => {
                    tracing::error!(reason, "the private {} does not answer; starting it again", S::NAME);
                    running.kill().await
                }
                () = &mut stop => {
                    if let Err(error) = running.stop().await {
                        tracing::warn!(%error, "the private {} did not stop in order", S::NAME);
                    }
                    return;
                }
            };
            if let Err(error) = stopped {
                tracing::warn!(%error, "the private {} did not stop in order", S::NAME);
            }
            RESTARTS.add(1, &[KeyValue::new("server", S::NAME)]);
            if since.elapsed() >= STABLE {
                backoff.reset();
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.pause().min(LONGEST_PAUSE)) => {}
                () = &mut stop => return,
            }
        }
    })
}

/// Returns when the flag is true.
pub(crate) async fn until_set(mut flag: watch::Receiver<bool>) {
    // a sender that is gone counts as true
    flag.wait_for(|flag| *flag).await.ok();
}
