//! From a command's answer to its visibility: in the list (`GET /v1/tickets` with `Docket-Min-Position`), and on the
//! broker (a subscriber of the stream). Median and 99th percentile, with everything in one process and 16 clients
//! that reply without a pause (`just bench-visibility`).

#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::unwrap_used,
    reason = "it prints figures, and stops where it can't go on"
)]

use std::collections::HashMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_nats::jetstream::{self, consumer};
use futures_util::StreamExt;
use serde_json::{Value, json};

const CLIENTS: usize = 16;

fn main() -> Result<()> {
    let seconds = std::env::var("BENCH_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(10);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(Duration::from_secs(seconds)))
}

struct Server {
    child: Child,
    api: String,
    nats: String,
    key: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

async fn start(dir: &Path) -> Result<Server> {
    let child = Command::new(env!("CARGO_BIN_EXE_docket"))
        .args(["serve", "--listen", "127.0.0.1:0", "--log", "warn"])
        .current_dir(dir)
        .env_remove("DATABASE_URL")
        .env_remove("NATS_URL")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if let Ok(text) = std::fs::read(dir.join(".docket/endpoints.json")) {
            let told: Value = serde_json::from_slice(&text)?;
            let member = |name: &str| told[name].as_str().map(str::to_owned);
            let key = std::fs::read_to_string(dir.join(".docket/admin.key"))?.trim().to_owned();
            let (api, nats) = (member("api").context("no API")?, member("nats").context("no NATS on this machine")?);
            return Ok(Server { child, api, nats, key });
        }
        ensure!(Instant::now() < deadline, "the server does not start");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn run(time: Duration) -> Result<()> {
    let dir = devstack::testing::temp_dir();
    let server = Arc::new(start(dir.path()).await?);
    let arrivals = subscribe(&server).await?;
    let end = Instant::now() + time;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(client(server.clone(), end));
    }
    let mut answered = Vec::new();
    let mut listed = Vec::new();
    while let Some(done) = clients.join_next().await {
        let (answers, lists) = done??;
        answered.extend(answers);
        listed.extend(lists);
    }
    let last = answered.iter().map(|(position, _)| *position).max().context("nothing was answered")?;
    let deadline = Instant::now() + Duration::from_secs(10);
    while !arrivals.lock().unwrap().contains_key(&last) {
        ensure!(Instant::now() < deadline, "the broker does not get there");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let arrivals = arrivals.lock().unwrap();
    let on_broker = answered.iter().map(|(position, at)| arrivals[position].saturating_duration_since(*at)).collect();
    println!(
        "{:.0} commands/s by {CLIENTS} clients, each followed by a list\n",
        answered.len() as f64 / time.as_secs_f64()
    );
    println!("| from the answer until it is | median | 99th percentile |");
    println!("|--|--:|--:|");
    println!("| in the list (the list's own time included) | {} |", percentiles(listed));
    println!("| on the broker, at a subscriber | {} |", percentiles(on_broker));
    Ok(())
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1_000.0;
    format!("{:.1} ms | {:.1} ms", at(50), at(99))
}

type Answers = (Vec<(u64, Instant)>, Vec<Duration>);

async fn client(server: Arc<Server>, end: Instant) -> Result<Answers> {
    let http = reqwest::Client::new();
    let opened = http.post(format!("{}/v1/tickets", server.api)).bearer_auth(&server.key);
    let opened: Value = opened.json(&json!({"subject": "bench", "body": "bench"})).send().await?.json().await?;
    let path = format!("{}/v1/tickets/{}/replies", server.api, opened["id"].as_str().context("no ticket")?);
    let (mut answers, mut lists) = (Vec::new(), Vec::new());
    while Instant::now() < end {
        let answer = http.post(&path).bearer_auth(&server.key).json(&json!({"body": "bench"})).send().await?;
        let at = Instant::now();
        ensure!(answer.status() == 201, "{}", answer.text().await?);
        let position = answer.headers()["docket-position"].to_str()?.to_owned();
        answers.push((position.parse()?, at));
        let list = http.get(format!("{}/v1/tickets?limit=1", server.api)).bearer_auth(&server.key);
        let list = list.header("docket-min-position", &position).send().await?;
        ensure!(list.status() == 200, "{}", list.text().await?);
        lists.push(at.elapsed());
    }
    Ok((answers, lists))
}

/// When each position came to a subscriber of the stream.
async fn subscribe(server: &Server) -> Result<Arc<Mutex<HashMap<u64, Instant>>>> {
    let context = jetstream::new(async_nats::connect(&server.nats).await?);
    let deadline = Instant::now() + Duration::from_secs(20);
    let stream = loop {
        match context.get_stream("DOCKET").await {
            Ok(stream) => break stream,
            Err(error) => ensure!(Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let consumer = stream.create_consumer(consumer::pull::OrderedConfig::default()).await?;
    let mut messages = consumer.messages().await?;
    let arrivals = Arc::new(Mutex::new(HashMap::new()));
    let kept = arrivals.clone();
    tokio::spawn(async move {
        while let Some(Ok(message)) = messages.next().await {
            let at = Instant::now();
            if let Ok(info) = message.info() {
                kept.lock().unwrap().insert(info.stream_sequence, at);
            }
        }
    });
    Ok(arrivals)
}
