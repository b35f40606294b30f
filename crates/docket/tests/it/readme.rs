//! What the README prints works as printed.

use std::process::Command;

use crate::server::Server;

#[tokio::test]
async fn the_ten_minutes_work_as_printed() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let readme = std::fs::read_to_string(format!("{root}/README.md")).unwrap();
    let part = readme.split("## Ten minutes").nth(1).unwrap().split("\n## ").next().unwrap();
    let blocks: Vec<&str> = part.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert!(blocks.len() > 5, "the README's form has changed");

    let dir = devstack::testing::temp_dir();
    let server = Server::start(dir.path()).await;
    let script = blocks
        .concat()
        .replace("http://127.0.0.1:8080", &server.url)
        .replace("cargo run --release --", env!("CARGO_BIN_EXE_docket"))
        .replace("examples/", &format!("{root}/examples/"));
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(dir.path())
        .env_remove("DATABASE_URL")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let mut rest = text.as_ref();
    for seen in [
        "201 Created",
        "idempotent-replayed: true",
        "\"assignee\":\"admin\"",
        "412 Precondition Failed",
        "\"type\":\"ticket.agent_assigned\"",
        "\"status\":\"resolved\"",
        "\"status\":\"new\"",
        "\"handle\":\"ada\"",
        "\"assignee\":\"ada\"",
        "\"error_code\":\"agent_at_capacity\"",
        "\"kind\":\"reply\"",
        "applied",
        "imported before",
        "200 OK",
        "docket-position:",
        "\"count\":",
        "event: ticket.",
        "ticket.opened",
        "status:",
        "slot reserved (ticket #",
        "no findings",
        "the stream equals the log",
        "tickets",
    ] {
        let at = rest.find(seen);
        assert!(at.is_some(), "{seen:?} is not where it belongs in\n{text}");
        rest = &rest[at.unwrap()..];
    }
}
