//! Clients and their tickets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bench::{Client, Docket};
use hdrhistogram::Histogram;
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

/// What was opened is no part of what is measured after it.
const FOLLOWED: Duration = Duration::from_secs(3);

/// What a client asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Request {
    /// A command.
    Reply,
    /// A ticket.
    Read,
    /// A ticket that the client has.
    ReadKnown,
}

struct Ticket {
    path: String,
    replies: String,
    version: i64,
}

struct Caller {
    client: Client,
    number: usize,
    tickets: Vec<Ticket>,
    /// How many requests it has sent.
    sent: usize,
    body: Arc<str>,
}

/// Clients with tickets of their own.
pub(crate) struct Load {
    callers: Vec<Caller>,
    tickets: usize,
    address: SocketAddr,
    key: String,
}

impl Load {
    /// Connects the clients, and opens that many tickets for each.
    pub(crate) async fn new(docket: &Docket, clients: usize, tickets: usize) -> Result<Self> {
        let mut callers = Vec::new();
        let body: Arc<str> = format!(r#"{{"body":"{}"}}"#, "x".repeat(230)).into();
        for number in 0..clients {
            let client = Client::connect(docket.address, &docket.key).await?;
            // unique among all loads of a run
            let number = number + tickets * clients;
            callers.push(Caller { client, number, tickets: Vec::new(), sent: 0, body: body.clone() });
        }
        let mut load = Self { callers, tickets, address: docket.address, key: docket.key.clone() };
        load.open_anew().await?;
        Ok(load)
    }

    /// Gives each client new tickets, and waits until read models and relay have surely followed.
    pub(crate) async fn open_anew(&mut self) -> Result<()> {
        let tickets = self.tickets;
        self.connect().await?;
        self.each(async move |caller: &mut Caller| caller.open(tickets).await).await?;
        tokio::time::sleep(FOLLOWED).await;
        Ok(())
    }

    /// As fast as the answers come, for that long: how many, and how long it really took.
    pub(crate) async fn flat_out(&mut self, request: Request, time: Duration) -> Result<(f64, Duration)> {
        self.connect().await?;
        let before = self.sent();
        let began = Instant::now();
        self.each(async move |caller: &mut Caller| {
            while began.elapsed() < time {
                caller.ask(request).await?;
            }
            Ok(())
        })
        .await?;
        Ok((self.sent() - before, began.elapsed()))
    }

    /// Commands at an even rate, whatever becomes of those before: their latencies in microseconds, and how many were
    /// answered a second. A command is timed from when it should have been sent, also when no connection was free
    /// then: the wait of those behind a slow one counts.
    pub(crate) async fn paced(&mut self, rate: f64, time: Duration) -> Result<(Histogram<u64>, f64)> {
        self.connect().await?;
        let began = Instant::now();
        let (sender, due) = mpsc::unbounded_channel();
        // a thread of its own: the runtime's timer knows milliseconds only
        let clock = std::thread::spawn(move || {
            let mut next = began;
            while next < began + time {
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
                if sender.send(next).is_err() {
                    return;
                }
                next += Duration::from_secs_f64(1.0 / rate);
            }
        });
        let due = Arc::new(Mutex::new(due));
        let latencies = Arc::new(Mutex::new(Histogram::<u64>::new(3)?));
        let (all, before) = (latencies.clone(), self.sent());
        self.each(async move |caller: &mut Caller| {
            let mut own = Histogram::<u64>::new(3)?;
            loop {
                let next = due.lock().await.recv().await;
                let Some(should_be_sent) = next else { break };
                caller.ask(Request::Reply).await?;
                own.record(u64::try_from(should_be_sent.elapsed().as_micros())?)?;
            }
            all.lock().await.add(&own)?;
            Ok(())
        })
        .await?;
        let attained = (self.sent() - before) / began.elapsed().as_secs_f64();
        clock.join().ok().context("the clock")?;
        let latencies = latencies.lock().await.clone();
        Ok((latencies, attained))
    }

    #[expect(clippy::cast_precision_loss, reason = "a figure")]
    fn sent(&self) -> f64 {
        self.callers.iter().map(|caller| caller.sent).sum::<usize>() as f64
    }

    /// All clients anew: the server closes connections that have been idle for a while.
    async fn connect(&mut self) -> Result<()> {
        for caller in &mut self.callers {
            caller.client = Client::connect(self.address, &self.key).await?;
        }
        Ok(())
    }

    /// All clients at once.
    async fn each<F>(&mut self, work: F) -> Result<()>
    where
        F: AsyncFn(&mut Caller) -> Result<()> + Clone + 'static,
    {
        let local = tokio::task::LocalSet::new();
        let callers = std::mem::take(&mut self.callers);
        let mut tasks = JoinSet::new();
        for mut caller in callers {
            let work = work.clone();
            tasks.spawn_local_on(async move { work(&mut caller).await.map(|()| caller) }, &local);
        }
        local
            .run_until(async {
                while let Some(caller) = tasks.join_next().await {
                    self.callers.push(caller??);
                }
                Ok(())
            })
            .await
    }
}

impl Caller {
    async fn open(&mut self, tickets: usize) -> Result<()> {
        self.tickets.clear();
        for _ in 0..tickets {
            let key = self.key();
            let body = r#"{"subject":"The printer is on fire","body":"Please come with water.","tags":["fire"]}"#;
            let answer = self.client.post("/v1/tickets", None, &key, body).await?;
            ensure!(answer.status == 201, "{}: {}", answer.status, String::from_utf8_lossy(answer.body));
            let ticket: Value = serde_json::from_slice(answer.body)?;
            let path = format!("/v1/tickets/{}", ticket["id"].as_str().context("no id")?);
            let version = answer.version.context("no version")?;
            self.tickets.push(Ticket { replies: format!("{path}/replies"), path, version });
        }
        Ok(())
    }

    async fn ask(&mut self, request: Request) -> Result<()> {
        let key = self.key();
        let next = self.sent % self.tickets.len();
        let ticket = &mut self.tickets[next];
        let (expected, answer) = match request {
            Request::Reply => {
                let version = ticket.version;
                ticket.version += 1;
                (201, self.client.post(&ticket.replies, Some(version), &key, &self.body).await?)
            }
            Request::Read => (200, self.client.get(&ticket.path, None).await?),
            Request::ReadKnown => (304, self.client.get(&ticket.path, Some(ticket.version)).await?),
        };
        let is_it = answer.status == expected && answer.version == Some(ticket.version);
        ensure!(is_it, "{}: {}", answer.status, String::from_utf8_lossy(answer.body));
        Ok(())
    }

    /// An idempotency key that nobody has used.
    fn key(&mut self) -> String {
        self.sent += 1;
        format!("{:08x}-0000-7000-8000-{:012x}", self.number, self.sent)
    }
}
