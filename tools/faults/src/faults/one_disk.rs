//! One disk under the private PostgreSQL and NATS of a process of its own: filled, then given room again. Docket supervises both, and
//! has to bring both back.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::Injection;
use crate::disk::Disk;
use crate::rules;
use crate::world::World;

const MEGABYTES: u32 = 256;
const START_LIMIT: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(20);
/// Enough that the relay has messages in flight when the disk is full.
const WRITERS: usize = 16;
/// What is written before the disk is full.
const TICKETS_BEFORE: usize = 50;

pub(super) async fn fill(world: &World, time: Duration) -> Result<Injection> {
    let folder = world.dir().join(format!("one-disk-{}", world.nonce()));
    let disk = Disk::mount(folder.join("disk"), MEGABYTES).await?;
    if let Some(why) = &disk.missing {
        return Ok(Injection::skipped(why));
    }
    let mut server = Server::start(&world.program, &folder, disk.path()).await?;
    let result = attack(world, &server, &disk, time).await;
    server.stop().await;
    if result.is_err() {
        let log = std::fs::read_to_string(folder.join("docket.log")).unwrap_or_default();
        let tail: Vec<_> = log.lines().rev().take(8).collect();
        world.findings.add(rules::RECOVERY, format!("one-disk-full: the process said last {tail:?}"));
    }
    result?;
    Ok(Injection::Done)
}

async fn attack(world: &World, server: &Server, disk: &Disk, time: Duration) -> Result<()> {
    let acknowledged = Mutex::new(Vec::new());
    let write = || async {
        loop {
            match server.open_ticket(&world.http).await {
                Some(id) => acknowledged.lock().unwrap_or_else(PoisonError::into_inner).push(id),
                None => tokio::time::sleep(PAUSE).await,
            }
        }
    };
    let strike = async {
        let count = || acknowledged.lock().unwrap_or_else(PoisonError::into_inner).len();
        let deadline = Instant::now() + START_LIMIT;
        while count() < TICKETS_BEFORE {
            ensure!(Instant::now() < deadline, "nothing could be written before the fault");
            tokio::time::sleep(PAUSE).await;
        }
        let filled = disk.fill().await?;
        tokio::time::sleep(time).await;
        drop(filled);
        let freed = Instant::now();
        let before = count();
        while count() == before && freed.elapsed() < world.limits.writes * 2 {
            tokio::time::sleep(PAUSE).await;
        }
        let writes = freed.elapsed();
        if writes > world.limits.writes {
            world.findings.add(rules::RECOVERY, format!("one-disk-full: writes did not go through within {writes:?}"));
        }
        anyhow::Ok(freed)
    };
    let freed = tokio::select! {
        _ = futures_util::future::join_all((0..WRITERS).map(|_| write())) => bail!("writers never end"),
        freed = strike => freed?,
    };
    let mut said = Value::Null;
    while freed.elapsed() < world.limits.readers {
        said = server.readiness(&world.http).await.unwrap_or_default();
        if said["relay"]["state"] == "live" && said["relay"]["position"] == said["head"] {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    ensure!(
        said["relay"]["state"] == "live",
        "one-disk-full: the relay is not live within {:?}: {said}",
        freed.elapsed()
    );
    crate::report::say(&format!(
        "    one disk: the relay was live after {:.1} s; servers restarted: {}",
        freed.elapsed().as_secs_f64(),
        server.restarts(&world.http).await.join(", ")
    ));
    let acknowledged = acknowledged.into_inner().unwrap_or_else(PoisonError::into_inner);
    for id in acknowledged {
        let status = server.status(&world.http, &format!("/v1/tickets/{id}")).await;
        if status != Some(200) {
            world.findings.add(rules::ACKNOWLEDGED, format!("one-disk-full: ticket {id} is answered {status:?}"));
        }
    }
    for (rule, what) in [(rules::BROKER, "relay"), (rules::READ_MODELS, "verify")] {
        let output = server.command(&["audit", what]).output().await?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            world
                .findings
                .add(rule, format!("one-disk-full: docket audit {what} ended with {}: {text}", output.status));
        }
    }
    Ok(())
}

/// A `docket serve` with servers of its own.
struct Server {
    program: PathBuf,
    data: PathBuf,
    child: Child,
    url: String,
    key: String,
}

impl Server {
    async fn start(program: &Path, folder: &Path, disk: &Path) -> Result<Self> {
        let data = disk.join("data");
        let log = std::fs::File::create(folder.join("docket.log"))?;
        let child = command(program, &data)
            .arg("serve")
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} can't be started", program.display()))?;
        let deadline = Instant::now() + START_LIMIT;
        let endpoints: Value = loop {
            if let Ok(text) = std::fs::read(data.join("endpoints.json")) {
                break serde_json::from_slice(&text)?;
            }
            ensure!(Instant::now() < deadline, "the process on the small disk does not start");
            tokio::time::sleep(PAUSE).await;
        };
        let url = endpoints["api"].as_str().context("no URL")?.to_owned();
        let key = std::fs::read_to_string(data.join("admin.key"))?.trim().to_owned();
        Ok(Self { program: program.to_owned(), data, child, url, key })
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = command(&self.program, &self.data);
        command.args(args);
        command
    }

    async fn open_ticket(&self, http: &reqwest::Client) -> Option<String> {
        let body = json!({"subject": "The disk is small", "body": "x".repeat(2_000)});
        let post = http.post(format!("{}/v1/tickets", self.url)).bearer_auth(&self.key).json(&body);
        let ticket: Value = post.send().await.ok()?.error_for_status().ok()?.json().await.ok()?;
        Some(ticket["id"].as_str()?.to_owned())
    }

    async fn status(&self, http: &reqwest::Client, path: &str) -> Option<u16> {
        let get = http.get(format!("{}{path}", self.url)).bearer_auth(&self.key);
        get.send().await.ok().map(|answer| answer.status().as_u16())
    }

    /// What readiness says, with `head`: the log's last position.
    async fn readiness(&self, http: &reqwest::Client) -> Option<Value> {
        let answer = http.get(format!("{}/health/readiness", self.url)).send().await.ok()?.error_for_status().ok()?;
        let head: i64 = answer.headers().get("docket-position")?.to_str().ok()?.parse().ok()?;
        let mut said: Value = answer.json().await.ok()?;
        said["head"] = head.into();
        Some(said)
    }

    /// How often each private server was restarted.
    async fn restarts(&self, http: &reqwest::Client) -> Vec<String> {
        let metrics = async { http.get(format!("{}/metrics", self.url)).send().await.ok()?.text().await.ok() };
        let metrics = metrics.await.unwrap_or_default();
        let lines = metrics.lines().filter_map(|line| line.strip_prefix("docket_private_server_restarts_total{"));
        let counts = lines.filter_map(|line| {
            let (labels, count) = line.rsplit_once("} ")?;
            let server = labels.split("server=\"").nth(1)?.split('"').next()?;
            Some(format!("{server} {count}"))
        });
        counts.collect()
    }

    /// In order, so that its servers end with it.
    async fn stop(&mut self) {
        if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()) {
            kill(Pid::from_raw(pid), Signal::SIGTERM).ok();
        }
        if tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await.is_err() {
            self.child.kill().await.ok();
        }
    }
}

fn command(program: &Path, data: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("DOCKET_DATA_DIR", data)
        .env("DOCKET_LISTEN", "127.0.0.1:0")
        .env("DOCKET_LOG_FORMAT", "text")
        .env("DOCKET_RATE_LIMIT", "off")
        .stdin(Stdio::null());
    for name in ["DATABASE_URL", "NATS_URL", "DOCKET_CONFIG", "OTEL_EXPORTER_OTLP_ENDPOINT", "FAILPOINTS"] {
        command.env_remove(name);
    }
    command
}
