//! Tickets wake and close by themselves: on time, once, whoever dies.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::import::Import;
use crate::server::{Server, docket, until};

/// How late a timer may be, on a machine that has other things to do as well.
const ON_TIME: TimeDelta = TimeDelta::milliseconds(1_500);

#[expect(clippy::disallowed_methods, reason = "a test is an edge")]
fn in_seconds(seconds: i64) -> DateTime<Utc> {
    Utc::now() + TimeDelta::seconds(seconds)
}

async fn command(server: &Server, ticket: &str, command: &str, body: &Value) {
    let request = server.post(&format!("/v1/tickets/{ticket}/{command}"), body).header("if-match", "*");
    let answer = request.send().await.unwrap();
    let status = answer.status();
    assert!(status.is_success(), "{command}: {status} {}", answer.text().await.unwrap());
}

async fn open(server: &Server) -> String {
    server.open("The printer is on fire").await["id"].as_str().unwrap().to_owned()
}

async fn hold(server: &Server, ticket: &str, wake_at: DateTime<Utc>) {
    command(server, ticket, "hold", &json!({"reason": "A part is on its way.", "wake_at": wake_at})).await;
}

/// Opens a ticket that is on hold.
async fn on_hold(server: &Server, wake_at: DateTime<Utc>) -> String {
    let ticket = open(server).await;
    hold(server, &ticket, wake_at).await;
    ticket
}

async fn becomes(server: &Server, ticket: &str, status: &str) {
    until(status, async || server.read(&format!("/v1/tickets/{ticket}")).await["status"] == status).await;
}

async fn database(dir: &Path) -> PgPool {
    let endpoints: Value = serde_json::from_slice(&std::fs::read(dir.join(".docket/endpoints.json")).unwrap()).unwrap();
    PgPool::connect(endpoints["database"].as_str().unwrap()).await.unwrap()
}

/// When each event of a type happened, by stream.
async fn happened(pool: &PgPool, event_type: &str) -> Vec<(Uuid, DateTime<Utc>)> {
    sqlx::query_as("select stream_id, occurred_at from events where type = $1 order by position")
        .bind(event_type)
        .fetch_all(pool)
        .await
        .unwrap()
}

async fn assert_woken_once(pool: &PgPool, tickets: &[String]) {
    let mut woken: Vec<_> =
        happened(pool, "ticket.resumed").await.into_iter().map(|(stream, _)| stream.to_string()).collect();
    woken.sort();
    let mut tickets = tickets.to_vec();
    tickets.sort();
    assert_eq!(woken, tickets, "each once");
}

/// The live table of due times.
async fn timers_table(pool: &PgPool) -> String {
    let sql = "select 'read_models.timers_' || generation from read_models.generations where name = 'timers' and state = 'live'";
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ticket_wakes_to_the_second() {
    let dir = devstack::testing::temp_dir();
    let server = Server::start(dir.path()).await;
    let wake_at = in_seconds(3);
    let ticket = on_hold(&server, wake_at).await;
    // one that was put on hold again waits for the second time
    let again = on_hold(&server, wake_at).await;
    command(&server, &again, "resume", &json!({})).await;
    hold(&server, &again, wake_at + TimeDelta::seconds(2)).await;
    becomes(&server, &ticket, "open").await;
    becomes(&server, &again, "open").await;
    let pool = database(dir.path()).await;
    let woken = happened(&pool, "ticket.resumed").await;
    // the first is the agent's own
    assert_eq!(woken.len(), 3);
    for (resumed, due) in woken[1..].iter().zip([wake_at, wake_at + TimeDelta::seconds(2)]) {
        assert!(resumed.1 >= due && resumed.1 <= due + ON_TIME, "due {due}, woken {}", resumed.1);
    }
    let metadata: String = sqlx::query_scalar(
        "select metadata::text from events where stream_id::text = $1 order by version desc limit 1",
    )
    .bind(&ticket)
    .fetch_one(&pool)
    .await
    .unwrap();
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    assert_eq!(metadata["cause"], json!({"kind": "timer", "id": "wake", "set_by": 2}));
}

#[tokio::test(flavor = "multi_thread")]
async fn resolved_ticket_closes_after_its_deadline() {
    let dir = devstack::testing::temp_dir();
    // no time to reopen: the deadline is the moment of the resolution
    let server = Server::start_with(dir.path(), docket(dir.path()).args(["serve", "--reopen-days", "0"])).await;
    let ticket = open(&server).await;
    command(&server, &ticket, "resolve", &json!({"code": "solved"})).await;
    becomes(&server, &ticket, "closed").await;
    assert_eq!(server.read(&format!("/v1/tickets/{ticket}")).await["closed_reason"], "resolved");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_server_wakes_late_and_once() {
    let dir = devstack::testing::temp_dir();
    let server = Server::start(dir.path()).await;
    let (before, while_down) = (in_seconds(3), in_seconds(7));
    let mut tickets = vec![on_hold(&server, before).await];
    for _ in 0..20 {
        tickets.push(on_hold(&server, while_down).await);
    }
    becomes(&server, &tickets[0], "open").await;
    server.signal("-KILL");
    server.ended().await;
    until("it is due", async || in_seconds(0) > while_down).await;
    for _ in 0..2 {
        let server = Server::start(dir.path()).await;
        for ticket in &tickets {
            becomes(&server, ticket, "open").await;
        }
        assert_woken_once(&database(dir.path()).await, &tickets).await;
        server.signal("-KILL");
        server.ended().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thousand_due_at_once_wake_once_with_three_processes() {
    let dir = devstack::testing::temp_dir();
    let first = Server::start(dir.path()).await;
    let pool = database(dir.path()).await;
    let url: Value =
        serde_json::from_slice(&std::fs::read(dir.path().join(".docket/endpoints.json")).unwrap()).unwrap();
    let mut others = Vec::new();
    for _ in 0..2 {
        let other = devstack::testing::temp_dir();
        std::fs::create_dir(other.path().join(".docket")).unwrap();
        std::fs::copy(dir.path().join(".docket/admin.key"), other.path().join(".docket/admin.key")).unwrap();
        let mut serve = docket(other.path());
        serve.args(["serve", "--roles", "api,projector,timers"]).env("DATABASE_URL", url["database"].as_str().unwrap());
        others.push((Server::start_with(other.path(), &mut serve).await, other));
    }
    let first = Arc::new(first);
    let mut opening = JoinSet::new();
    for _ in 0..20 {
        let server = first.clone();
        opening.spawn(async move {
            let mut tickets = Vec::new();
            for _ in 0..50 {
                tickets.push(open(&server).await);
            }
            tickets
        });
    }
    let tickets = Arc::new(opening.join_all().await.concat());
    let wake_at = in_seconds(30);
    let mut holding = JoinSet::new();
    for worker in 0..20 {
        let (server, tickets) = (first.clone(), tickets.clone());
        holding.spawn(async move {
            for ticket in tickets.iter().skip(worker).step_by(20) {
                hold(&server, ticket, wake_at).await;
            }
        });
    }
    holding.join_all().await;
    assert!(in_seconds(0) < wake_at, "all wait before the first is due");
    let woken = async || happened(&pool, "ticket.resumed").await.len();
    // whoever leads is among those that are killed in the midst of it
    until("some have woken", async || woken().await > 50).await;
    others[0].0.signal("-KILL");
    let first = Arc::into_inner(first).unwrap();
    first.signal("-STOP");
    until("all have woken", async || woken().await >= tickets.len()).await;
    assert_woken_once(&pool, &tickets).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_timers_delay_no_other() {
    let dir = devstack::testing::temp_dir();
    let server = Server::start(dir.path()).await;
    let pool = database(dir.path()).await;
    let ticket = on_hold(&server, in_seconds(60)).await;
    let table = timers_table(&pool).await;
    // more than are issued at a time, and due before all others: no command wakes a ticket that was never opened
    let bogus = format!(
        "insert into {table} (stream_id, kind, stream_type, set_by, due_at)
         select gen_random_uuid(), 'wake', 'ticket', 1, now() - interval '1 hour' from generate_series(1, 100)"
    );
    sqlx::query(AssertSqlSafe(bogus)).execute(&pool).await.unwrap();
    let held_back = async |attempts: i32| {
        let sql = "select count(*) from read_models.timer_backoffs where outcome = 'failed' and attempts >= $1";
        sqlx::query_scalar::<_, i64>(sql).bind(attempts).fetch_one(&pool).await.unwrap()
    };
    until("they are held back, and tried again", async || held_back(2).await == 100).await;
    command(&server, &ticket, "resume", &json!({})).await;
    let wake_at = in_seconds(2);
    hold(&server, &ticket, wake_at).await;
    becomes(&server, &ticket, "open").await;
    let (_, woken) = happened(&pool, "ticket.resumed").await.pop().unwrap();
    assert!(woken <= wake_at + ON_TIME, "due {wake_at}, woken {woken}");
    until("readiness and metrics say so", async || {
        let timers = &server.read("/health/readiness").await["timers"];
        let metrics = server.get("/metrics").send().await.unwrap().text().await.unwrap();
        let measured = |line: &str| line.starts_with("docket_timers_held_back{") && line.ends_with(" 100");
        timers["state"] == "leading" && timers["held_back"] == 100 && metrics.lines().any(measured)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_history_does_nothing_by_itself() {
    let import = Import::of_sample().await;
    let dir = devstack::testing::temp_dir();
    let mut serve = docket(dir.path());
    serve.args(["serve", "--roles", "api,projector,timers"]).env("DATABASE_URL", import.database.url());
    let server = Server::start_with(dir.path(), &mut serve).await;
    let resolved: i64 = sqlx::query_scalar("select count(*) from events where type = 'ticket.resolved'")
        .fetch_one(&import.pool)
        .await
        .unwrap();
    assert!(resolved > 0);
    // a ticket of its own shows that the timers work
    let ticket = open(&server).await;
    hold(&server, &ticket, in_seconds(1)).await;
    becomes(&server, &ticket, "open").await;
    until("nothing else is due", async || {
        let timers = &server.read("/health/readiness").await["timers"];
        timers["state"] == "leading" && timers["overdue"] == 0
    })
    .await;
    let by_timers = "select count(*) from events where metadata::jsonb -> 'cause' ->> 'kind' = 'timer'";
    let count: i64 = sqlx::query_scalar(by_timers).fetch_one(&import.pool).await.unwrap();
    assert_eq!(count, 1);
}
