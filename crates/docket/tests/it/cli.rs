//! What the commands print, whole: a change is a diff. After a change that is wanted: `INSTA_UPDATE=always cargo test -p docket
//! cli::`.

use std::process::Output;

use insta::Settings;
use serde_json::Value;

use crate::import::{Import, example};
use crate::server::{Server, docket, run, until};

/// Every command; help of the configuration is shown once, with `serve`.
const COMMANDS: [&str; 35] = [
    "",
    "migrate",
    "keys",
    "keys create",
    "keys list",
    "keys revoke",
    "keys rotate",
    "audit",
    "audit relay",
    "audit replay",
    "audit verify",
    "events",
    "events tail",
    "import",
    "projections",
    "projections status",
    "projections rebuild",
    "projections retry",
    "projections skip",
    "ticket",
    "ticket list",
    "ticket show",
    "ticket open",
    "ticket reply",
    "ticket note",
    "ticket assign",
    "ticket unassign",
    "ticket route",
    "ticket hold",
    "ticket resume",
    "ticket resolve",
    "ticket reopen",
    "ticket close",
    "status",
    "config",
];

/// What a command did, for one snapshot.
pub(crate) fn shown(command: &str, output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    let mut shown = format!("$ docket {command}\nexit code {}\n", output.status.code().unwrap_or(-1));
    for (name, text) in [("stdout", text(&output.stdout)), ("stderr", text(&output.stderr))] {
        if !text.is_empty() {
            shown.extend(["--- ", name, "\n", &text, "\n"]);
        }
    }
    shown
}

/// What differs from run to run.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::clone_current();
    for (pattern, shown) in [
        (r"dk_[0-9a-f]{16}_[0-9a-f]{72}", "<key>"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
        (r"\b[0-9a-f]{16}\b", "<key id>"),
        (r"\b[0-9a-f]{64}\b", "<fingerprint>"),
        (r"\b20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3,9}", "<time>"),
        (r#"("(?:recorded_at|created_at)":)"[^"]*""#, r#"$1"<time>""#),
        // now, but not the times of the sample
        (r"\b20(?:2[7-9]|[3-9]\d)-\d\d-\d\dT[0-9:.]+Z|\b2026-1[12]-\d\dT[0-9:.]+Z", "<time>"),
        (r"postgres://[^\s/]+/[^\s;\x22]+", "postgres://<database>"),
        (r"127\.0\.0\.1:\d{4,5}\b", "127.0.0.1:<port>"),
        (r"docket \d+\.\d+\.\d+", "docket <version>"),
        (r"/[^\s:]*/examples/", "examples/"),
        (r"\b\d+\.\d s\b", "<seconds> s"),
        // the first of them may have been begun while another model was rebuilt
        (r"((?:tickets|timers) +)\d+(  live)", "${1}<generation>${2}"),
        (r"generation \d+ is live", "generation <generation> is live"),
    ] {
        settings.add_filter(pattern, shown);
    }
    settings
}

/// Runs a command in the world of an import, and compares it with its snapshot.
fn check(import: &Import, name: &str, command: &str) {
    let words: Vec<&str> = command.split_whitespace().collect();
    let output = import.docket(&words);
    settings().bind(|| insta::assert_snapshot!(name.to_owned(), shown(command, &output)));
}

/// Without the options that every command has.
fn without_configuration(help: &str) -> String {
    let Some((before, after)) = help.split_once("\nConfiguration (") else { return help.to_owned() };
    let rest = after.find("\n\nE").map_or("", |at| &after[at + 1..]);
    format!("{before}{rest}")
}

#[test]
fn help_of_every_command() {
    let dir = devstack::testing::temp_dir();
    let run = |args: &[&str]| docket(dir.path()).args(args).env_clear().output().unwrap();
    for command in COMMANDS {
        let words: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let output = run(&words);
        assert!(output.status.success(), "{command}");
        let help = without_configuration(&String::from_utf8(output.stdout).unwrap());
        let name = format!("help {command}").trim_end().replace(' ', "_");
        settings().bind(|| insta::assert_snapshot!(name, help));
    }
    let output = run(&["serve", "--help"]);
    settings().bind(|| insta::assert_snapshot!("help_serve", shown("serve --help", &output)));
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_and_events() {
    let import = Import::of_sample().await;
    check(&import, "audit_replay", "audit replay 2");
    check(&import, "audit_replay_version", "audit replay 2 --version 3");
    check(&import, "audit_replay_diff", "audit replay 2 --diff");
    check(&import, "audit_replay_json", "audit replay 2 --version 2 --diff --json");
    check(&import, "audit_verify", "audit verify");
    check(&import, "audit_verify_json", "audit verify --json");
    check(&import, "events_tail", "events tail -n 3");
    check(&import, "events_tail_json", "events tail -n 1 --json");
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_of_other_records() {
    let import = Import::of_sample().await;
    let created = import.docket(&["keys", "create", "--role", "agent", "--name", "ada", "--label", "phone", "--json"]);
    let key: Value = serde_json::from_slice(&created.stdout).unwrap();
    let id = key["id"].as_str().unwrap();
    assert!(import.docket(&["keys", "rotate", id]).status.success());
    for (name, record) in [
        ("team", "team first-line"),
        ("agent", "agent carla"),
        ("person", "person hotel-bellavista@customers.example"),
        ("api_key", &format!("api-key {id}")),
    ] {
        check(&import, &format!("audit_replay_{name}"), &format!("audit replay --kind {record}"));
    }
    check(&import, "audit_replay_agent_diff", "audit replay --kind agent carla --version 3 --diff");
    check(&import, "audit_replay_agent_json", "audit replay --kind agent carla --version 1 --json");
    // the id of its stream names it as well
    let json = import.docket(&["audit", "replay", "--kind", "api-key", id, "--json"]).stdout;
    let stream = serde_json::from_slice::<Value>(&json).unwrap()["api_key"].as_str().unwrap().to_owned();
    assert_eq!(import.docket(&["audit", "replay", "--kind", "api-key", &stream, "--json"]).stdout, json);

    for (name, record) in [
        ("unknown_team", "team nobody"),
        ("unknown_agent", "agent nobody"),
        ("unknown_person", "person nobody@example.com"),
        ("unknown_api_key", "api-key 0123456789abcdef"),
        ("no_ticket_name", "ticket first"),
        ("no_person_name", "person nobody"),
    ] {
        check(&import, &format!("error_{name}"), &format!("audit replay --kind {record}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_projections() {
    let import = Import::of_sample().await;
    check(&import, "keys_create", "keys create --role agent --name ada --team facilities --team second-line");
    check(&import, "keys_create_json", "keys create --role requester --email grace@example.com --json");
    check(
        &import,
        "keys_create_shop",
        "keys create --role agent --name shop --scope act-for-others --expires-in 90 --label till",
    );
    check(&import, "keys_list", "keys list");
    let id = |role: &str| {
        let all: Vec<Value> = serde_json::from_slice(&import.docket(&["keys", "list", "--json"]).stdout).unwrap();
        all.iter().find(|key| key["role"] == role).unwrap()["id"].as_str().unwrap().to_owned()
    };
    check(&import, "keys_rotate", &format!("keys rotate {}", id("requester")));
    check(&import, "keys_rotate_at_once", &format!("keys rotate {} --overlap 0", id("requester")));
    check(&import, "keys_revoke", &format!("keys revoke {}", id("requester")));
    check(&import, "error_rotate_revoked", &format!("keys rotate {}", id("requester")));
    check(&import, "error_rotate_unknown", "keys rotate 0123456789abcdef");
    check(&import, "error_unknown_scope", "keys create --role agent --name ada --scope everything");
    check(&import, "error_expires_in", "keys create --role agent --name ada --expires-in 0");
    check(&import, "projections_status_none", "projections status");
    for name in ["queues", "tickets", "tickets", "timers", "timers"] {
        let output = import.docket(&["projections", "rebuild", name]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    check(&import, "projections_status", "projections status");
    check(&import, "projections_rebuild", "projections rebuild tickets");
    check(&import, "projections_unknown", "projections rebuild nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn import_reports() {
    let import = Import::new().await;
    let (table, map) = (example("helpdesk-sample.csv"), example("helpdesk-sample.toml"));
    let command = format!("import {} --map {}", table.display(), map.display());
    check(&import, "import", &command);
    check(&import, "import_again", &command);
    check(&import, "import_json", &format!("{command} --json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors() {
    let import = Import::of_sample().await;
    check(&import, "error_unknown_ticket", "audit replay 999");
    check(&import, "error_no_such_version", "audit replay 2 --version 12");
    check(&import, "error_before_opening", "audit replay 2 --at 2026-03-01T00:00:00Z");
    check(&import, "error_no_broker", "audit relay");
    check(&import, "error_unknown_key", "keys revoke 0123456789abcdef");
    check(&import, "error_no_key_id", "keys revoke ada");
    check(&import, "error_wrong_scheme", "keys list --database-url mysql://localhost/docket");
    check(&import, "error_no_database", "keys list --database-url postgres://nobody@127.0.0.1:1/none");
    check(&import, "error_receipt_hours", "keys list --receipt-hours 3");
    check(&import, "error_no_configuration", "keys list --config nothing.toml");
    import.file("bad.toml", "reopen_day = 3\n");
    check(&import, "error_bad_configuration", "keys list --config bad.toml");
    let table = example("helpdesk-sample.csv");
    check(&import, "error_no_map", &format!("import {} --map nothing.toml", table.display()));
    let map = std::fs::read_to_string(example("helpdesk-sample.toml")).unwrap().replace("\"close\"", "\"shut\"");
    import.file("map.toml", &map);
    check(&import, "error_bad_map", &format!("import {} --map map.toml", table.display()));

    let dir = devstack::testing::temp_dir();
    let output = run(dir.path(), &["keys", "list", "--data-dir", "/proc/docket"]);
    settings().bind(|| insta::assert_snapshot!("error_no_data_directory", shown("keys list", &output)));
}

#[test]
fn configuration() {
    let dir = devstack::testing::temp_dir();
    let args = ["config", "--database-url", "postgres://docket:secret@db.example.com/docket"];
    let output = docket(dir.path()).args(args).env_clear().output().unwrap();
    Settings::clone_current().bind(|| insta::assert_snapshot!("config", shown("config", &output)));
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_relay() {
    let dir = devstack::testing::temp_dir();
    let server = Server::start(dir.path()).await;
    server.open("The printer is on fire").await;
    until("it is on the broker", async || run(dir.path(), &["audit", "relay"]).status.success()).await;
    let output = run(dir.path(), &["audit", "relay"]);
    settings().bind(|| insta::assert_snapshot!("audit_relay", shown("audit relay", &output)));
    let output = run(dir.path(), &["audit", "relay", "--nats-stream", "OTHER"]);
    settings().bind(|| insta::assert_snapshot!("audit_relay_no_stream", shown("audit relay", &output)));
}

/// `.env.example` is the list of all settings for people.
#[test]
fn env_example_lists_every_setting() {
    let dir = devstack::testing::temp_dir();
    let help = String::from_utf8(run(dir.path(), &["serve", "--help"]).stdout).unwrap();
    let example = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.env.example")).unwrap();
    let names: Vec<&str> = help
        .split("[env: ")
        .skip(1)
        .map(|after| after.split(['=', ']']).next().unwrap())
        .filter(|name| *name != "DOCKET_CONFIG")
        .collect();
    assert!(names.len() >= 18, "{names:?}");
    for name in &names {
        assert!(example.lines().any(|line| line.starts_with(&format!("#{name}="))), "{name} is not in .env.example");
    }
    // and it names nothing else of ours
    for line in example.lines().filter_map(|line| line.strip_prefix("#DOCKET_")) {
        let name = format!("DOCKET_{}", line.split('=').next().unwrap());
        let of_devstack = ["DOCKET_PG_BIN", "DOCKET_NATS_BIN"].contains(&name.as_str());
        assert!(of_devstack || names.contains(&name.as_str()), "{name} is no setting");
    }
}
