//! `docket audit`: a ticket's story, and a log that somebody has tampered with.

use serde_json::Value;
use sqlx::Executor;

use crate::import::{Import, stderr, stdout};

/// What the sample tells of case A-102, which becomes ticket #2.
const STORY: [&str; 8] = [
    "#2 Booking: fault of Hotel Bellavista",
    "2026-03-02 09:01:00  agent ben: opened by import",
    "│ Hotel Bellavista has a fault about Booking",
    "agent carla: priority high → urgent",
    "agent carla: team first-line → second-line",
    "agent dario: reopened: taken in charge again by dario",
    "imported from helpdesk-sample, row 61",
    "State at version 11",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_tells_the_tickets_story() {
    let import = Import::of_sample().await;
    let text = stdout(&import.docket(&["audit", "replay", "#2"]));
    let mut rest = text.as_str();
    for words in STORY {
        let at = rest.find(words);
        assert!(at.is_some(), "{words:?} is not where it belongs in\n{text}");
        rest = &rest[at.unwrap()..];
    }
    assert!(!text.contains('\u{1b}'), "colours in a pipe");
    let diff = stdout(&import.docket(&["audit", "replay", "2", "--diff"]));
    assert!(diff.contains("status: open → on_hold") && diff.contains("assignee: carla → dario"), "{diff}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_stops_where_it_is_told_to() {
    let import = Import::of_sample().await;
    let json = |args: &[&str]| -> Value {
        let output = import.docket(&[&["audit", "replay", "2", "--json"], args].concat());
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let whole = json(&[]);
    assert_eq!((&whole["state"]["status"], &whole["version"]), (&"closed".into(), &11.into()));
    let held = json(&["--version", "5", "--diff"]);
    assert_eq!((held["events"].as_array().unwrap().len(), &held["state"]["status"]), (5, &"on_hold".into()));
    assert_eq!(held["events"][4]["changes"]["status"], serde_json::json!({"from": "open", "to": "on_hold"}));
    assert_eq!(json(&["--at", "2026-03-02T14:01:59Z"])["state"], held["state"]);
    // by its id as well
    let id = whole["ticket"].as_str().unwrap();
    let output = import.docket(&["audit", "replay", id, "--json"]);
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_said_so() {
    let import = Import::of_sample().await;
    let unknown = uuid::Uuid::from_u128(7).to_string();
    let cases: [(&[&str], &str); 5] = [
        (&["999"], "there is no ticket #999"),
        (&[&unknown], "there is no ticket"),
        (&["2", "--version", "12"], "its versions are 1 to 11"),
        (&["2", "--version", "0"], "its versions are 1 to 11"),
        (&["2", "--at", "2026-03-01T00:00:00Z"], "it began at 2026-03-02 09:01:00"),
    ];
    for (args, words) in cases {
        let output = import.docket(&[&["audit", "replay"], args].concat());
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(stderr(&output).contains(words), "{args:?}: {}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_an_event_that_nobody_can_read_is_replayed() {
    let import = Import::of_sample().await;
    let unreadable = "insert into events
        select head.position + 1, last.stream_id, last.stream_type, last.version + 1, 'ticket.unheard_of', 1, '{}', last.metadata, last.occurred_at, now()
          from (select max(position) as position from events) head,
               (select e.* from events e join aliases a using (stream_id) where a.name = '2' order by version desc limit 1) last";
    let mut connection = import.pool.acquire().await.unwrap();
    assert_eq!(connection.execute(unreadable).await.unwrap().rows_affected(), 1);
    let output = import.docket(&["audit", "replay", "2"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("ticket #2 can't be read"), "{}", stderr(&output));
    assert!(stderr(&output).contains("12"), "the version: {}", stderr(&output));
    let text = stdout(&import.docket(&["audit", "replay", "2", "--version", "11"]));
    assert!(text.contains("the first 11 of 12 events"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untouched_log_is_sound() {
    let import = Import::of_sample().await;
    let output = import.docket(&["audit", "verify"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stdout(&output), "131 events in 32 streams: no findings\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tampered_event_is_found() {
    let import = Import::of_sample().await;
    // as the owner, past the triggers that refuse it to everybody else
    let mut connection = import.pool.acquire().await.unwrap();
    connection.execute("alter table events disable trigger all").await.unwrap();
    let position: i64 = sqlx::query_scalar(
        "update events set payload = replace(payload::text, '\"from\":null', '\"from\":\"00000000-0000-7000-8000-000000000666\"')::json
          where position = (select min(position) from events where type = 'ticket.agent_assigned') returning position",
    )
    .fetch_one(&mut *connection)
    .await
    .unwrap();
    let output = import.docket(&["audit", "verify", "--json"]);
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["broken"], &report["findings"][0]["rule"]), (&1.into(), &"illegal_step".into()), "{report}");
    assert_eq!(report["findings"][0]["position"], position);

    let of_a_ticket = "select min(position) from events where stream_type = 'ticket' and version = 2";
    let delete = format!("delete from events where position = ({of_a_ticket})");
    connection.execute(sqlx::AssertSqlSafe(delete)).await.unwrap();
    let output = import.docket(&["audit", "verify"]);
    assert_eq!(output.status.code(), Some(2));
    let text = stdout(&output);
    assert!(text.contains("position_gap") && text.contains("version_gap"), "{text}");
}
