use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use devstack::testing::{private_nats, temp_dir};
use devstack::{Nats, Readable};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{alive, child};

/// What the server sends first, and what it answers to a client without a password.
fn anonymous(url: &str) -> (String, String) {
    let mut server = TcpStream::connect(url.rsplit('@').next().unwrap()).unwrap();
    server.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    server.write_all(b"CONNECT {\"verbose\":false}\r\nPING\r\n").unwrap();
    let mut lines = BufReader::new(server).lines().map(Result::unwrap);
    (lines.next().unwrap(), lines.next().unwrap())
}

#[tokio::test]
async fn jetstream_answers_and_the_url_survives_a_restart() {
    let (dir, nats) = private_nats().await;
    let (greeting, _) = anonymous(nats.url());
    assert!(greeting.starts_with("INFO ") && greeting.contains("\"jetstream\":true"), "{greeting}");
    nats.check_jetstream(Duration::from_secs(10)).await.unwrap();
    let (url, pid) = (nats.url().to_owned(), nats.pid());
    nats.stop().await.unwrap();
    assert!(!alive(pid));
    let nats = Nats::start(dir.path()).await.unwrap();
    assert_eq!(nats.url(), url);
}

#[tokio::test]
async fn anonymous_client_is_refused() {
    let dir = temp_dir();
    let readable = Readable { stream: "DOCKET", subject_prefix: "docket" };
    let nats = Nats::start_with_subscriber(dir.path(), readable).await.unwrap();
    let (greeting, answer) = anonymous(nats.url());
    assert!(greeting.contains("\"auth_required\":true"), "{greeting}");
    assert_eq!(answer, "-ERR 'Authorization Violation'");
    assert_ne!(nats.subscriber_url(), Some(nats.url()));
}

#[tokio::test]
async fn hung_jetstream_is_noticed_and_killed() {
    let (dir, nats) = private_nats().await;
    kill(Pid::from_raw(nats.pid().cast_signed()), Signal::SIGSTOP).unwrap();
    let error = nats.check_jetstream(Duration::from_millis(300)).await.unwrap_err();
    assert!(error.contains("does not answer"), "{error}");
    let pid = nats.pid();
    nats.kill().await.unwrap();
    assert!(!alive(pid));
    let nats = Nats::start(dir.path()).await.unwrap();
    nats.check_jetstream(Duration::from_secs(10)).await.unwrap();
}

#[tokio::test]
async fn two_servers_get_different_ports() {
    let ((_one, first), (_two, second)) = tokio::join!(private_nats(), private_nats());
    assert_ne!(first.url(), second.url());
}

#[tokio::test]
async fn missing_program_error_names_remedies() {
    let dir = temp_dir();
    let mut child = child::command("nats", dir.path());
    child.env("DOCKET_NATS_BIN", "/nonexistent");
    let error = child::answer(child);
    assert!(error.contains("NATS_URL") && error.contains("DOCKET_NATS_BIN"), "{error}");
}
