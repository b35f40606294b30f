//! `docket projections`, beside a running server and without one; and the audit of the read models.

use serde_json::Value;
use sqlx::Executor;

use crate::import::{Import, stderr, stdout};

fn status(import: &Import) -> Vec<Value> {
    let output = import.docket(&["projections", "status", "--json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", stderr(&output)))
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_the_command_itself_builds_and_the_audit_compares() {
    let import = Import::of_sample().await;
    assert!(status(&import).is_empty());
    for name in ["tickets", "queues"] {
        let output = import.docket(&["projections", "rebuild", name]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(stdout(&output).contains("is live at position 131"), "{}", stdout(&output));
    }
    let output = import.docket(&["projections", "rebuild", "tickets"]);
    assert!(stdout(&output).contains("It equals the previous one."), "{}", stdout(&output));
    let all = status(&import);
    assert!(all.len() >= 2 && all.iter().all(|s| s["lag_events"] == 0), "{all:?}");
    let table = stdout(&import.docket(&["projections", "status"]));
    assert!(table.contains("tickets") && table.contains("queues") && table.contains("equal"), "{table}");

    let output = import.docket(&["audit", "verify"]);
    assert_eq!(stdout(&output), "131 events in 32 streams: no findings\n", "{}", stderr(&output));
    let live = |name: &str| {
        let status = all.iter().find(|s| s["name"] == name && s["state"] == "live").unwrap();
        format!("read_models.{name}_{}", status["generation"])
    };
    let (tickets, queues) = (live("tickets"), live("queues"));
    for meddle in [
        format!("update {tickets} set team = id where number = 2"),
        format!(
            "update {} set words = words || 'mallory:1'
              where entry = 1 and ticket_id = (select id from {tickets} where number = 3)",
            tickets.replace("tickets_", "tickets_words_")
        ),
        format!(
            "update {} set public_updated_at = public_updated_at + interval '1 s'
              where ticket_id = (select id from {tickets} where number = 4)",
            tickets.replace("tickets_", "tickets_recency_")
        ),
        format!("update {queues} set count = count + 1 where ctid = (select min(ctid) from {queues})"),
    ] {
        import.pool.execute(sqlx::AssertSqlSafe(meddle)).await.unwrap();
    }
    let output = import.docket(&["audit", "verify", "--json"]);
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["broken"], 4, "{report}");
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().all(|f| f["rule"] == "read_model_differs"), "{report}");
    assert!(
        findings.iter().any(|f| f["stream"].is_string() && f["detail"].as_str().unwrap().contains("team")),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_ticket_is_shown_tried_again_and_skipped() {
    let import = Import::of_sample().await;
    assert!(import.docket(&["projections", "rebuild", "tickets"]).status.success());
    import
        .pool
        .execute(
            "insert into events
             select 132, stream_id, 'ticket', max(version) + 1, 'ticket.frozen', 1, '{}', '{}', max(occurred_at), max(recorded_at) from events
              where stream_id = (select stream_id from aliases where scope = 'ticket-number' and name = '2') group by stream_id",
        )
        .await
        .unwrap();
    // whoever leads next meets it; here that is the retry itself
    let output = import.docket(&["projections", "retry", "tickets", "#2"]);
    assert!(stdout(&output).contains("ticket.frozen"), "{}{}", stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(2));
    let shown = import.docket(&["projections", "status"]);
    assert_eq!(shown.status.code(), Some(2));
    let (ticket, version): (uuid::Uuid, i64) =
        sqlx::query_as("select stream_id, version from events where position = 132")
            .fetch_one(&import.pool)
            .await
            .unwrap();
    for said in [
        format!("\ntickets: ticket {ticket} has been parked since 20"),
        format!(" at version {version} (position 132):\n"),
        format!("\n  docket projections retry tickets {ticket}\n"),
        format!("\n  docket projections skip tickets {ticket} --reason …\n"),
    ] {
        assert!(stdout(&shown).contains(&said), "{said:?} is missing in {}", stdout(&shown));
    }

    let missing = import.docket(&["projections", "skip", "tickets", "2"]);
    assert!(!missing.status.success(), "a skip needs its reason");
    let output = import.docket(&["projections", "skip", "tickets", "2", "--reason", "never happened", "--by", "root"]);
    assert!(output.status.success() && stdout(&output).contains("goes on"), "{}{}", stdout(&output), stderr(&output));
    let (reason, by): (String, String) =
        sqlx::query_as("select reason, skipped_by from subscriptions.skips where subscription = 'tickets'")
            .fetch_one(&import.pool)
            .await
            .unwrap();
    assert_eq!((reason.as_str(), by.as_str()), ("never happened", "root"));
    for (args, words) in [
        (
            &["projections", "rebuild", "nothing"][..],
            "The read models are tickets, queues, people, agents, settings, timers.",
        ),
        (&["projections", "retry", "tickets", "999"], "there is no ticket #999"),
        (&["projections", "retry", "tickets", "x"], "neither a number nor an id"),
    ] {
        let output = import.docket(args);
        assert!(!output.status.success() && stderr(&output).contains(words), "{args:?}: {}", stderr(&output));
    }
}
