//! `docket serve` before its database is up, and the commands in a folder without data.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use devstack::{Durability, Postgres};
use serde_json::Value;
use tokio::net::{TcpListener, UnixStream};

use crate::server::{docket, run, until};

/// A port that leads to the server's socket; it is open from now on.
async fn open_port(port: u16, postgres: &Postgres) -> tokio::task::JoinHandle<()> {
    let url = postgres.url("docket");
    let (_, folder) = url.split_once("host=").unwrap();
    let socket = Path::new(&folder.replace("%2F", "/")).join(".s.PGSQL.5432");
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let socket = socket.clone();
            tokio::spawn(async move {
                let mut server = UnixStream::connect(socket).await.unwrap();
                tokio::io::copy_bidirectional(&mut client, &mut server).await.ok();
            });
        }
    })
}

/// A port that no other test was given: whoever asks next could get the same one, as long as nobody listens on it.
fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        if GIVEN.lock().unwrap().insert(port) {
            return port;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_waits_for_its_database() {
    let (_folder, postgres) = devstack::testing::private_postgres(Durability::Fast).await;
    postgres.ensure_database("docket").await.unwrap();
    let dir = devstack::testing::temp_dir();
    let (port, listen) = (free_port(), free_port());
    let log = std::fs::File::create(dir.path().join("log")).unwrap();
    let mut command = docket(dir.path());
    command.args(["serve", "--roles", "api,projector"]).env("DOCKET_LISTEN", format!("127.0.0.1:{listen}"));
    command.env("DATABASE_URL", format!("postgres://postgres@127.0.0.1:{port}/docket"));
    let mut child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();

    let client = reqwest::Client::new();
    let get = async |path: &str| client.get(format!("http://127.0.0.1:{listen}{path}")).send().await;
    until("it is alive", async || get("/health/liveness").await.is_ok_and(|answer| answer.status() == 200)).await;
    for path in ["/health/readiness", "/readyz", "/v1/tickets"] {
        let answer = get(path).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers().contains_key("retry-after")), (503, true), "{path}");
        let said: Value = answer.json().await.unwrap();
        assert_eq!(said["error_code"], "unavailable");
        assert!(said["detail"].as_str().unwrap().contains("refused"), "{said}");
    }
    let text = || std::fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(text().contains("waiting for the database"), "{}", text());
    assert!(child.try_wait().unwrap().is_none());

    let _proxy = open_port(port, &postgres).await;
    until("it is ready", async || get("/health/readiness").await.is_ok_and(|answer| answer.status() == 200)).await;
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_waiting_for_its_database_stops_on_a_signal() {
    let dir = devstack::testing::temp_dir();
    let listen = free_port();
    let mut command = docket(dir.path());
    command
        .arg("serve")
        .env("DOCKET_LISTEN", format!("127.0.0.1:{listen}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // a name that does not resolve
    let mut child = command.env("DATABASE_URL", "postgres://postgres@database.invalid/docket").spawn().unwrap();
    let url = format!("http://127.0.0.1:{listen}/health/readiness");
    until("it is unready", async || reqwest::get(&url).await.is_ok_and(|answer| answer.status() == 503)).await;
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let mut status = None;
    until("it ends", async || {
        status = child.try_wait().unwrap();
        status.is_some()
    })
    .await;
    assert!(status.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_ends_where_waiting_would_not_help() {
    let (_folder, postgres) = devstack::testing::private_postgres(Durability::Fast).await;
    postgres.ensure_database("docket").await.unwrap();
    let url = postgres.url("postgres");
    let mut admin = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
    sqlx::raw_sql("create role locked login password 'right'").execute(&mut admin).await.unwrap();
    let rules = postgres.data_dir().join("pg_hba.conf");
    let before = std::fs::read_to_string(&rules).unwrap();
    std::fs::write(&rules, format!("local all locked scram-sha-256\n{before}")).unwrap();
    sqlx::raw_sql("select pg_reload_conf()").execute(&mut admin).await.unwrap();
    let port = free_port();
    let _proxy = open_port(port, &postgres).await;

    let dir = devstack::testing::temp_dir();
    for (url, expected) in [
        (format!("postgres://locked:wrong@127.0.0.1:{port}/docket"), "password authentication failed"),
        (format!("postgres://postgres@127.0.0.1:{port}/nowhere"), "\"nowhere\" does not exist"),
        (format!("postgres://postgres@127.0.0.1:{port}/docket?sslmode=require"), "TLS"),
    ] {
        let began = Instant::now();
        let output = docket(dir.path()).arg("serve").env("DATABASE_URL", &url).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(expected) && said.contains("DATABASE_URL"), "{said}");
        assert!(!said.contains("wrong@"), "{said}");
        assert!(began.elapsed() < Duration::from_secs(30), "it waited");
    }
}

/// Commands that work on data which is there, with arguments; `serve`, `import`, `migrate` and `keys create` may create some.
const ON_EXISTING_DATA: &[&[&str]] = &[
    &["keys", "list"],
    &["keys", "rotate", "0123456789abcdef"],
    &["keys", "revoke", "0123456789abcdef"],
    &["audit", "verify"],
    &["audit", "relay"],
    &["audit", "replay", "#1"],
    &["events", "tail"],
    &["projections", "status"],
    &["projections", "rebuild", "tickets"],
    &["projections", "retry", "tickets", "#1"],
    &["projections", "skip", "tickets", "#1", "--reason", "test"],
];
const WITHOUT_DATA: &[&str] = &["config", "openapi", "asyncapi", "completions", "help"];
/// Clients of a running server.
const OVER_HTTP: &[&[&str]] = &[&["ticket", "list"], &["status"]];
const CREATING: &[&str] = &["serve", "import", "migrate"];

#[test]
fn commands_without_data_create_none() {
    let dir = devstack::testing::temp_dir();
    for args in ON_EXISTING_DATA {
        let output = run(dir.path(), args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains("there is no data in .docket"), "{args:?}: {said}");
        assert!(!dir.path().join(".docket").exists(), "{args:?} made the folder");
    }
    for args in OVER_HTTP {
        let output = run(dir.path(), args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains("no server runs in .docket"), "{args:?}: {said}");
        assert!(!dir.path().join(".docket").exists(), "{args:?} made the folder");
    }
    // the same in a folder that is there, and empty
    std::fs::create_dir(dir.path().join(".docket")).unwrap();
    assert_eq!(run(dir.path(), ON_EXISTING_DATA[0]).status.code(), Some(1));
    assert_eq!(std::fs::read_dir(dir.path().join(".docket")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_on_an_empty_database_create_nothing() {
    let (_folder, postgres) = devstack::testing::private_postgres(Durability::Fast).await;
    postgres.ensure_database("docket").await.unwrap();
    let url = postgres.url("docket");
    let dir = devstack::testing::temp_dir();
    for args in ON_EXISTING_DATA {
        let output = docket(dir.path()).args(*args).env("DATABASE_URL", &url).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains("docket migrate"), "{args:?}: {said}");
    }
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
    let tables: i64 = sqlx::query_scalar(
        "select count(*) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(tables, 0);
}

/// Every command is in one of the lists above: a new one has to say whether it creates data.
#[test]
fn every_command_is_listed() {
    let dir = devstack::testing::temp_dir();
    let subcommands = |args: &[&str]| {
        let help = String::from_utf8(run(dir.path(), &[args, &["--help"]].concat()).stdout).unwrap();
        let part = help.split("Commands:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default();
        let names = part.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        names.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect::<Vec<_>>()
    };
    let top = subcommands(&[]);
    assert!(top.len() > 8, "{top:?}");
    for command in &top {
        let is_client = OVER_HTTP.iter().any(|args| args[0] == command);
        if is_client || WITHOUT_DATA.contains(&command.as_str()) || CREATING.contains(&command.as_str()) {
            continue;
        }
        for verb in subcommands(&[command]).iter().filter(|verb| *verb != "help") {
            let listed = ON_EXISTING_DATA.iter().any(|args| args.starts_with(&[command, verb]));
            assert!(listed || (command == "keys" && verb == "create"), "docket {command} {verb} is not listed");
        }
    }
}
