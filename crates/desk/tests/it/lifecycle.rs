use serde_json::json;
use shared_kernel::testing::{agent, person};
use ticket_aggregate::{ClosedReason, Command, Status};

use crate::cast::{WINDOW, ada, assign, follow, hour, lea, note, reopen, reply, resolve, rita, system};
use crate::world::World;

#[tokio::test]
async fn lifecycle_counts_versions_and_positions() {
    let world = World::new().await;
    // positions and versions differ
    world.open().await;
    let ticket = world.open().await;
    let steps = [
        (ada(), assign("ada"), 0, Status::Open, 1, 1),
        (ada(), reply("Which one?"), 1, Status::Open, 1, 0),
        (ada(), Command::AwaitRequester, 1, Status::Pending, 1, 1),
        (rita(), reply("That one."), 2, Status::Open, 2, 1),
        (ada(), resolve(), 3, Status::Resolved, 1, 1),
        (rita(), reopen("It burns again"), 4, Status::Open, 1, 1),
        (ada(), resolve(), 5, Status::Resolved, 1, 1),
        (lea(), Command::Close, 5 + WINDOW, Status::Closed, 1, 0),
    ];
    let (mut version, mut head) = (1, 2);
    for (caller, command, hours, status, events, slots) in steps {
        let done = world.when(caller, ticket, command.clone()).at(hours).ok().await;
        version += events;
        let recorded = usize::try_from(events + slots).unwrap();
        assert_eq!((done.version, done.position, done.events), (version, head + events, recorded), "{command:?}");
        head += events + slots;
        assert_eq!((done.ticket.status, done.ticket.updated_at), (status, hour(hours)), "{command:?}");
    }
    let events = world.events(ticket).await;
    assert_eq!(
        events,
        [
            "opened",
            "agent_assigned",
            "public_reply_added",
            "pended",
            "requester_replied",
            "resumed",
            "resolved",
            "reopened",
            "resolved",
            "closed"
        ]
    );
}

#[tokio::test]
async fn note_records_internal_note() {
    let world = World::new().await;
    let ticket = world.open().await;
    let noted = world.when(ada(), ticket, note("Arson?")).ok().await;
    assert_eq!((noted.version, noted.ticket.status), (2, Status::New));
    assert!(world.recorded(ticket).await[1].payload.contains("Arson?"));
}

#[tokio::test]
async fn reply_goes_to_requester_and_followers() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, follow("finn")).ok().await;
    world.when(ada(), ticket, reply("Which one?")).ok().await;
    let payload: serde_json::Value = serde_json::from_str(&world.recorded(ticket).await[2].payload).unwrap();
    assert_eq!(
        payload["recipients"],
        json!([{"person": person("rita"), "identity": 1}, {"person": person("finn"), "identity": 1}])
    );
}

#[tokio::test]
async fn resolve_requires_assignee() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(system(), ticket, resolve()).then_refused("no_assignee").await;
    assert_eq!(world.events(ticket).await, ["opened"]);
}

#[tokio::test]
async fn resolve_takes_unassigned_ticket() {
    let world = World::new().await;
    let ticket = world.open().await;
    let resolved = world.when(ada(), ticket, resolve()).ok().await;
    assert_eq!((resolved.version, resolved.events), (3, 2));
    assert_eq!(resolved.ticket.assignee, Some(agent("ada")));
    assert_eq!(world.events(ticket).await, ["opened", "agent_assigned", "resolved"]);
}

#[tokio::test]
async fn resolve_pins_reopen_deadline() {
    let world = World::new().await;
    let ticket = world.open().await;
    let resolved = world.when(ada(), ticket, resolve()).at(1).ok().await;
    assert_eq!(resolved.ticket.reopen_until, Some(hour(1 + WINDOW)));
}

#[tokio::test]
async fn resolve_accepts_imported_reopen_deadline() {
    let world = World::new().await;
    let ticket = world.open().await;
    let resolved = world.when(lea(), ticket, resolve()).reopen_until(7).ok().await;
    assert_eq!(resolved.ticket.reopen_until, Some(hour(7)));
}

#[tokio::test]
async fn reopen_after_deadline_is_rejected() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, resolve()).ok().await;
    world.when(ada(), ticket, reopen("late")).at(WINDOW + 1).then_refused("reopen_deadline_passed").await;
    let in_time = world.when(ada(), ticket, reopen("in time")).at(WINDOW).ok().await;
    assert_eq!((in_time.ticket.status, in_time.ticket.reopen_count), (Status::Open, 1));
}

#[tokio::test]
async fn close_waits_for_reopen_window() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, resolve()).ok().await;
    world.when(system(), ticket, Command::Close).at(WINDOW - 1).then_refused("reopen_window_open").await;
    let closed = world.when(system(), ticket, Command::Close).at(WINDOW).ok().await;
    assert_eq!((closed.ticket.status, closed.ticket.closed_reason), (Status::Closed, Some(ClosedReason::Resolved)));
}

#[tokio::test]
async fn close_is_forbidden_for_agents() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, resolve()).ok().await;
    world.when(ada(), ticket, Command::Close).at(WINDOW).then_refused("forbidden").await;
}

#[tokio::test]
async fn command_in_wrong_status_is_rejected() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(lea(), ticket, Command::Close).then_refused("illegal_transition").await;
    world.when(lea(), ticket, note(" ")).then_refused("blank").await;
    assert_eq!(world.events(ticket).await, ["opened"]);
}

#[tokio::test]
async fn metadata_names_actor_cause_and_request() {
    let world = World::new().await;
    let ticket = world.open().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let noting = world.when(ada(), ticket, note("imported")).because(json!({"row": 7}), "request-1", trace);
    noting.ok().await;
    let metadata = world.recorded(ticket).await[1].metadata().unwrap();
    assert_eq!(metadata.traceparent.as_deref(), Some(trace));
    let extra =
        json!({"actor": {"kind": "agent", "id": agent("ada")}, "cause": {"row": 7}, "correlation_id": "request-1"});
    assert_eq!(serde_json::Value::Object(metadata.extra), extra);
}

#[tokio::test]
async fn occurred_at_never_runs_backwards() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, note("ahead")).at(5).ok().await;
    let lagging = world.when(ada(), ticket, note("behind")).at(3).ok().await;
    assert_eq!((lagging.version, lagging.ticket.updated_at), (3, hour(5)));
    let times: Vec<_> = world.recorded(ticket).await.iter().map(|event| event.occurred_at).collect();
    assert_eq!(times, [hour(0), hour(5), hour(5)]);
}
