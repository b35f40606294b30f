//! Peers that are not in Rust: installed by their own tools, run as processes.
//!
//! A script is called as `SCRIPT prepare URL` to make its schema, then, a process a core, as
//! `SCRIPT append URL FIRST STEP WRITERS STREAMS SECONDS`: the writers FIRST, FIRST + STEP, … of WRITERS, each with the
//! streams whose number modulo WRITERS is its own. It says `ready` once all its connections stand, begins when it is sent a line,
//! and answers with how many appends were committed, and in how many seconds.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bench::STREAMS;
use futures_util::future::try_join_all;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::stores::Peer;

/// A peer's script.
#[derive(Clone, Copy)]
pub enum Script {
    Emmett,
    Eventsourcing,
}

impl Script {
    fn command(self) -> Command {
        let (program, script) = match self {
            Self::Emmett => ("node".into(), node_folder().join("emmett.mjs")),
            Self::Eventsourcing => (python_folder().join(".venv/bin/python"), python_folder().join("append.py")),
        };
        let mut command = Command::new(program);
        command.arg(script);
        command
    }
}

pub fn node_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("node")
}

fn python_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("python")
}

/// What these peers need, at the versions of their lock files.
pub fn install(peers: &[Peer]) -> Result<()> {
    let has = |wanted: &[Peer]| peers.iter().any(|peer| wanted.contains(peer));
    if has(&[Peer::Emmett, Peer::MessageDb]) {
        let hint = "emmett-postgresql and message-db need node and npm; BENCH_WITHOUT=emmett-postgresql,message-db leaves them out";
        done(Command::new("node").arg("--version"), hint)?;
        done(Command::new("npm").args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(node_folder()), hint)?;
    }
    if has(&[Peer::Eventsourcing]) {
        let hint = "eventsourcing needs python3 with venv and pip; BENCH_WITHOUT=eventsourcing leaves it out";
        let folder = python_folder();
        done(Command::new("python3").args(["-m", "venv", ".venv"]).current_dir(&folder), hint)?;
        let mut pip = Command::new(folder.join(".venv/bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"]);
        done(pip.current_dir(&folder), hint)?;
    }
    Ok(())
}

/// Runs a command to its end.
fn done(command: &mut Command, hint: &str) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| hint.to_owned())?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{hint}\n{}: {said}", command.get_program().display());
    Ok(())
}

/// Appends a second of a script's processes together.
pub async fn appends_a_second(script: Script, url: &str, writers: usize, time: Duration) -> Result<f64> {
    done(script.command().args(["prepare", url]), "its schema can't be made")?;
    let step = available_parallelism()?.get().min(writers);
    let numbers = [step, writers, usize::try_from(STREAMS)?, usize::try_from(time.as_secs())?].map(|n| n.to_string());
    let start = (0..step).map(|first| {
        let mut command = script.command();
        command.args(["append", url, &first.to_string()]).args(&numbers);
        Running::start(command)
    });
    let mut all = try_join_all(start).await?;
    for running in &mut all {
        running.go().await?;
    }
    Ok(try_join_all(all.into_iter().map(Running::rate)).await?.iter().sum())
}

/// A process of a script. It ends with this.
struct Running {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Running {
    async fn start(command: Command) -> Result<Self> {
        let mut command = tokio::process::Command::from(command);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let said = BufReader::new(child.stdout.take().context("its output")?).lines();
        let mut running = Self { child, said };
        ensure!(running.line().await? == "ready", "a script does not begin with `ready`");
        Ok(running)
    }

    async fn go(&mut self) -> Result<()> {
        Ok(self.child.stdin.as_mut().context("its input")?.write_all(b"go\n").await?)
    }

    async fn rate(mut self) -> Result<f64> {
        let line = self.line().await?;
        let (appends, seconds) = line.split_once(' ').context("not `APPENDS SECONDS`")?;
        Ok(appends.parse::<f64>()? / seconds.parse::<f64>()?)
    }

    async fn line(&mut self) -> Result<String> {
        self.said.next_line().await?.context("a script ended too soon; what it said is above")
    }
}
