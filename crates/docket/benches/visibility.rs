//! From a command's answer to its visibility: in the list (`GET /v1/tickets` with `Docket-Min-Position`), and on the
//! broker (a subscriber of the stream). Median and 99th percentile, with everything in one process and 16 clients
//! that reply without a pause (`just bench-visibility`).

#![expect(
    clippy::cast_precision_loss,
    clippy::unwrap_used,
    reason = "it makes figures, and stops where it can't go on"
)]

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_nats::jetstream::{self, consumer};
use bench::{Docket, Table, Threads, setting};
use devstack::{Durability, Nats, Postgres};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::sync::Barrier;

const CLIENTS: usize = 16;

fn main() -> Result<()> {
    bench::run(Threads::All, measure)
}

async fn measure(folder: &Path) -> Result<()> {
    let time = Duration::from_secs(setting("BENCH_SECONDS", 10)?);
    let (postgres, nats) = tokio::try_join!(Postgres::start(folder, Durability::Durable), Nats::start(folder))?;
    let docket = Docket::start(env!("CARGO_BIN_EXE_docket"), folder, &postgres, Some(&nats)).await?;
    let (api, key) = (format!("http://{}", docket.address), docket.key.clone());
    let arrivals = subscribe(nats.url()).await?;
    let all_are_ready = Arc::new(Barrier::new(CLIENTS));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(client(api.clone(), key.clone(), all_are_ready.clone(), time));
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
    let mut table = Table::new(["from the answer until it is", "median", "99th percentile"]);
    let [median, late] = percentiles(listed);
    table.row(["in the list (the list's own time included)".to_owned(), median, late]);
    let [median, late] = percentiles(on_broker);
    table.row(["on the broker, at a subscriber".to_owned(), median, late]);
    let rate = answered.len() as f64 / time.as_secs_f64();
    table.print(&format!("{rate:.0} commands/s by {CLIENTS} clients, each followed by a list"));
    Ok(())
}

fn percentiles(mut times: Vec<Duration>) -> [String; 2] {
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1_000.0;
    [50, 99].map(|share| format!("{:.1} ms", at(share)))
}

type Answers = (Vec<(u64, Instant)>, Vec<Duration>);

async fn client(api: String, key: String, all_are_ready: Arc<Barrier>, time: Duration) -> Result<Answers> {
    let http = reqwest::Client::new();
    let opened = http.post(format!("{api}/v1/tickets")).bearer_auth(&key);
    let opened: Value = opened.json(&json!({"subject": "bench", "body": "bench"})).send().await?.json().await?;
    let path = format!("{api}/v1/tickets/{}/replies", opened["id"].as_str().context("no ticket")?);
    let (mut answers, mut lists) = (Vec::new(), Vec::new());
    all_are_ready.wait().await;
    let end = Instant::now() + time;
    while Instant::now() < end {
        let answer = http.post(&path).bearer_auth(&key).json(&json!({"body": "bench"})).send().await?;
        let at = Instant::now();
        ensure!(answer.status() == 201, "{}", answer.text().await?);
        let position = answer.headers()["docket-position"].to_str()?.to_owned();
        answers.push((position.parse()?, at));
        let list = http.get(format!("{api}/v1/tickets?limit=1")).bearer_auth(&key);
        let list = list.header("docket-min-position", &position).send().await?;
        ensure!(list.status() == 200, "{}", list.text().await?);
        lists.push(at.elapsed());
    }
    Ok((answers, lists))
}

/// When each position came to a subscriber of the stream.
async fn subscribe(url: &str) -> Result<Arc<Mutex<HashMap<u64, Instant>>>> {
    let context = jetstream::new(relay::connect(url).await.map_err(anyhow::Error::msg)?);
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
