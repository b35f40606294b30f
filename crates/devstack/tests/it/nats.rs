use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;

use devstack::Nats;
use devstack::testing::{private_nats, temp_dir};

use crate::{alive, child};

fn greeting(url: &str) -> String {
    let server = TcpStream::connect(url.strip_prefix("nats://").unwrap()).unwrap();
    let mut line = String::new();
    BufReader::new(server).read_line(&mut line).unwrap();
    line
}

#[tokio::test]
async fn it_answers_with_jetstream_and_keeps_its_port() {
    let (dir, nats) = private_nats().await;
    let greeting = greeting(nats.url());
    assert!(greeting.starts_with("INFO ") && greeting.contains("\"jetstream\":true"), "{greeting}");
    let (url, pid) = (nats.url().to_owned(), nats.pid());
    nats.stop().await.unwrap();
    assert!(!alive(pid));
    let nats = Nats::start(dir.path()).await.unwrap();
    assert_eq!(nats.url(), url);
}

#[tokio::test]
async fn two_run_side_by_side() {
    let ((_one, first), (_two, second)) = tokio::join!(private_nats(), private_nats());
    assert_ne!(first.url(), second.url());
}

#[tokio::test]
async fn without_a_program_the_error_says_what_to_do() {
    let dir = temp_dir();
    let mut child = child::command("nats", dir.path());
    child.env("DOCKET_NATS_BIN", "/nonexistent");
    let error = child::answer(child);
    assert!(error.contains("NATS_URL") && error.contains("DOCKET_NATS_BIN"), "{error}");
}
