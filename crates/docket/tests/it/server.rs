//! A `docket serve` of a test's own, as a new user starts it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// After a fault reads answer again within this time, on a machine that has other things to do as well.
const HEALED: Duration = Duration::from_secs(30);

/// What the first `serve` records: the admin as an agent and a person, and their key.
pub(crate) const FIRST_EVENTS: u64 = 3;

/// A running server; it is killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) dir: PathBuf,
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) client: reqwest::Client,
}

/// The binary, with nothing configured but where its data lives.
pub(crate) fn docket(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docket"));
    command.current_dir(dir).env("DOCKET_LISTEN", "127.0.0.1:0").stdin(Stdio::null());
    for name in ["DATABASE_URL", "NATS_URL", "DOCKET_DATA_DIR", "DOCKET_CONFIG", "OTEL_EXPORTER_OTLP_ENDPOINT"] {
        command.env_remove(name);
    }
    command
}

pub(crate) fn run(dir: &Path, args: &[&str]) -> Output {
    docket(dir).args(args).output().unwrap()
}

impl Server {
    pub(crate) async fn start(dir: &Path) -> Self {
        Self::start_with(dir, docket(dir).arg("serve")).await
    }

    pub(crate) async fn start_with(dir: &Path, command: &mut Command) -> Self {
        std::fs::remove_file(dir.join(".docket/endpoints.json")).ok();
        let log = |name| std::fs::File::options().create(true).append(true).open(dir.join(name)).unwrap();
        let child = command.stdout(log("stdout.log")).stderr(log("stderr.log")).spawn().unwrap();
        let mut server = Self {
            child,
            dir: dir.to_owned(),
            url: String::new(),
            key: String::new(),
            client: reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap(),
        };
        let endpoints = dir.join(".docket/endpoints.json");
        until("the server says where it is", async || {
            assert!(
                server.child.try_wait().unwrap().is_none(),
                "{}",
                std::fs::read_to_string(dir.join("stderr.log")).unwrap()
            );
            endpoints.exists()
        })
        .await;
        let told: Value = serde_json::from_slice(&std::fs::read(&endpoints).unwrap()).unwrap();
        told["api"].as_str().unwrap().clone_into(&mut server.url);
        let key = std::fs::read_to_string(dir.join(".docket/admin.key")).unwrap();
        key.trim().clone_into(&mut server.key);
        until("the server is ready", async || server.is_ready().await).await;
        server
    }

    pub(crate) async fn is_ready(&self) -> bool {
        let answer = self.client.get(format!("{}/health/readiness", self.url)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.url)).bearer_auth(&self.key).json(body)
    }

    pub(crate) fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.key)
    }

    /// What a path answers: 200, or the test ends with the answer. A 503 with `Retry-After` is asked again, until a deadline:
    /// the server may say so for some seconds after its database came back.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let deadline = Instant::now() + HEALED;
        loop {
            let answer = self.get(path).send().await.unwrap();
            let (status, retry) = (answer.status(), answer.headers().contains_key("retry-after"));
            let body: Value = answer.json().await.unwrap();
            if status == 200 {
                return body;
            }
            assert!(status == 503 && retry && Instant::now() < deadline, "GET {path}: {status} {body}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn open(&self, subject: &str) -> Value {
        let answer =
            self.post("/v1/tickets", &json!({"subject": subject, "body": "Please help."})).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        answer.json().await.unwrap()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    pub(crate) async fn ended(mut self) -> std::process::ExitStatus {
        let mut status = None;
        until("the server ends", async || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap()
    }

    /// The process of the private PostgreSQL.
    pub(crate) fn postgres_pid(&self) -> Option<String> {
        let data = std::fs::read_to_string(self.dir.join(".docket/postgres.location"))
            .map_or_else(|_| self.dir.join(".docket/postgres"), |at| PathBuf::from(at.trim()));
        let file = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
        file.lines().next().map(str::to_owned)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Waits for a condition, not for a time.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !condition().await {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
