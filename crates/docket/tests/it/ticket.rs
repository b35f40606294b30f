//! `docket ticket` and `docket status`, clients of a running server.

use serde_json::Value;

use crate::cli::{settings, shown};
use crate::server::{Server, run, until};

/// Runs a command beside the server, and compares it with its snapshot.
fn check(server: &Server, name: &str, args: &[&str]) {
    let output = run(&server.dir, args);
    let mut settings = settings();
    settings.add_filter(r"\b20\d\d-\d\d-\d\d \d\d:\d\d\b", "<minute>");
    settings.bind(|| insta::assert_snapshot!(name.to_owned(), shown(&args.join(" "), &output)));
}

fn succeed(server: &Server, args: &[&str]) {
    let output = run(&server.dir, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn status(server: &Server) -> Value {
    serde_json::from_slice(&run(&server.dir, &["status", "--json"]).stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ticket_from_opening_to_end() {
    let dir = devstack::testing::temp_dir();
    let server = Server::start(dir.path()).await;
    succeed(&server, &["keys", "create", "--role", "agent", "--name", "ada", "--team", "facilities"]);
    let open = ["ticket", "open", "--subject", "The printer is on fire", "--body", "Please come with water."];
    check(&server, "open", &[&open[..], &["--requester", "grace@example.com", "--team", "facilities"]].concat());
    check(&server, "assign", &["ticket", "assign", "1", "ada"]);
    check(&server, "reply", &["ticket", "reply", "#1", "--body", "On my way."]);
    check(&server, "hold", &["ticket", "hold", "1", "--reason", "waits for water"]);
    succeed(&server, &["ticket", "resume", "1"]);
    check(&server, "stale", &["ticket", "note", "1", "--body", "Too late.", "--if-version", "2"]);
    check(&server, "resolve", &["ticket", "resolve", "1", "--note", "It was the toner."]);
    check(&server, "show", &["ticket", "show", "1"]);
    let filled = || status(&server)["projections"].as_array().unwrap().iter().all(|model| model["lag"]["events"] == 0);
    until("the list follows", async || filled()).await;
    check(&server, "list", &["ticket", "list", "--team", "facilities"]);
    check(&server, "list_none", &["ticket", "list", "--status", "new"]);
    check(&server, "close", &["ticket", "close", "1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_is_refused() {
    let dir = devstack::testing::temp_dir();
    let server = Server::start(dir.path()).await;
    check(&server, "unknown", &["ticket", "show", "7"]);
    check(&server, "no_number", &["ticket", "show", "seven"]);
    check(&server, "unknown_agent", &["ticket", "assign", "1", "nobody"]);
    check(&server, "bad_filter", &["ticket", "list", "--status", "burning"]);
    check(&server, "bad_key", &["ticket", "list", "--key", "dk_0"]);
    check(&server, "no_server", &["ticket", "list", "--url", "http://127.0.0.1:1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn status_names_what_follows_the_log() {
    let dir = devstack::testing::temp_dir();
    let server = Server::start(dir.path()).await;
    server.open("The printer is on fire").await;
    let follows = || {
        let status = status(&server);
        let models = status["projections"].as_array().cloned().unwrap_or_default();
        status["readiness"]["relay"]["state"] == "live" && models.iter().all(|model| model["lag"]["events"] == 0)
    };
    until("all follow", async || follows()).await;
    check(&server, "status", &["status"]);
}
