use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use devstack::Postgres;

/// Transactions a second of a script with prepared statements. Its variables begin with these values.
///
/// # Errors
/// If pgbench is not installed, or fails.
pub fn pgbench(
    postgres: &Postgres,
    database: &str,
    script: &str,
    variables: &[&str],
    clients: usize,
    time: Duration,
) -> Result<f64> {
    let program = ["pgbench".into(), postgres.bin_dir().join("pgbench")]
        .into_iter()
        .find(|program| Command::new(program).arg("--version").output().is_ok())
        .context("pgbench is not installed (Debian: postgresql-contrib)")?;
    let mut running = Command::new(program)
        .args(["-n", "-M", "prepared", "-j", "2", "-c", &clients.to_string()])
        .args(["-T", &time.as_secs().max(1).to_string(), "-f", "-"])
        .args(variables.iter().flat_map(|variable| ["-D", variable]))
        .arg(postgres.url(database))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    running.stdin.take().context("its input")?.write_all(script.as_bytes())?;
    let output = running.wait_with_output()?;
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "pgbench: {errors}");
    text.lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok())
        .with_context(|| format!("pgbench: {text}{errors}"))
}
