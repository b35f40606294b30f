use desk::AuditReport;
use eventstore::StreamId;
use ticket_aggregate::{Command, LinkKind, TicketId};

use shared_kernel::StreamVersion;

use crate::cast::{
    WINDOW, ada, assign, blocked_by, finn, follow, hour, lea, note, rename, reopen, reply, resolve, rita, root, route,
    system, tag, unblocked_by, untag,
};
use crate::setup::SETUP_EVENTS;
use crate::world::{World, since_setup};

/// Which rules are broken at which positions.
async fn findings(world: &World) -> Vec<(&'static str, Option<i64>)> {
    let report = world.verify().await;
    assert_eq!(report.broken, report.findings.len() as u64);
    report.findings.iter().map(|found| (found.rule, found.position.map(since_setup))).collect()
}

/// A ticket with events at positions 1 to 3.
async fn noted(world: &World) -> TicketId {
    let ticket = world.open().await;
    world.when(ada(), ticket, note("one")).at(1).ok().await;
    world.when(ada(), ticket, note("two")).at(2).ok().await;
    ticket
}

#[tokio::test]
async fn empty_log_is_clean() {
    let AuditReport { events, streams, broken, .. } = World::empty().await.verify().await;
    assert_eq!((events, streams, broken), (0, 0, 0));
}

#[tokio::test]
async fn log_of_every_command_is_clean() {
    let world = World::new().await;
    let (ticket, blocker, spam) = (world.open().await, world.open().await, world.open().await);
    let hold = |wake_at| Command::Hold { reason: "a part".into(), wake_at };
    let categorize = Command::Categorize { category: "fire".into() };
    let prioritize = Command::Prioritize { priority: ticket_aggregate::Priority::Urgent, reason: Some("fire".into()) };
    let steps = [
        (ada(), ticket, vec![Command::Start, note("n"), tag("vip"), untag("vip"), rename("Fire"), categorize]),
        (lea(), ticket, vec![prioritize, assign("ada"), follow("finn"), blocked_by(blocker)]),
        (ada(), ticket, vec![reply("Which one?"), Command::AwaitRequester]),
        (rita(), ticket, vec![reply("That one.")]),
        (ada(), ticket, vec![hold(None), Command::Resume]),
        (ada(), ticket, vec![hold(Some(hour(7)))]),
        (system(), ticket, vec![Command::Wake { set_by: StreamVersion(18) }]),
        (lea(), ticket, vec![route("network"), route("hardware"), assign("ada"), Command::Unassign]),
        (ada(), blocker, vec![resolve()]),
        (ada(), ticket, vec![resolve()]),
        (rita(), ticket, vec![reopen("again")]),
        (ada(), ticket, vec![unblocked_by(blocker), Command::Link { kind: LinkKind::RelatesTo, other: spam }]),
        (rita(), ticket, vec![Command::Confirm]),
        (root(), spam, vec![Command::Spam]),
    ];
    for (hours, (caller, ticket, commands)) in (1..).zip(steps) {
        let key = format!("hour {hours}");
        world.when_all(caller, ticket, commands).at(hours).key(&key, "f").ok().await;
    }
    world.when(system(), ticket, Command::Close).at(WINDOW + 20).ok().await;
    world.when(finn(), ticket, reply("Me, too.")).at(WINDOW + 21).ok().await;

    let mut progress = Vec::new();
    let report = world.desk.verify(|read| progress.push(read)).await.unwrap();
    assert_eq!(report.findings, []);
    let head = u64::try_from(world.head().await + SETUP_EVENTS).unwrap();
    assert_eq!((report.events, report.streams, report.broken), (head, 16, 0));
    // each event is read along the log and along its ticket
    assert_eq!(progress, (1..=2 * head).collect::<Vec<_>>());
}

#[tokio::test]
async fn clean_after_two_desks_race() {
    let world = World::new().await;
    let beside = world.another().await;
    let (one, other) = (world.open().await, world.open().await);
    let commands = (0..24).map(|n| {
        let (ticket, there) = if n % 3 == 0 { (one, other) } else { (other, one) };
        let command = match n % 4 {
            0 => Command::Link { kind: LinkKind::RelatesTo, other: there },
            1 => Command::Unlink { kind: LinkKind::RelatesTo, other: there },
            _ => note("n"),
        };
        // clocks that differ by hours
        world.when(ada(), ticket, command).at(n % 5).on(if n % 2 == 0 { &world.desk } else { &beside }).ok()
    });
    futures_util::future::join_all(commands).await;
    assert!(world.head().await >= 14, "{}", world.head().await);
    assert_eq!(findings(&world).await, []);
}

#[tokio::test]
async fn missing_event_is_found() {
    let world = World::new().await;
    let ticket = noted(&world).await;
    world.tamper("delete from events where position = #2").await;
    assert_eq!(findings(&world).await, [("position_gap", Some(3)), ("version_gap", Some(3))]);
    let found = &world.verify().await.findings[1];
    assert_eq!((found.stream, found.version), (Some(StreamId(ticket.0)), Some(eventstore::Version(3))));
}

#[tokio::test]
async fn illegal_step_is_found() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, rename("Fire")).ok().await;
    world
        .tamper(
            "update events set payload = replace(payload::text, 'The printer', 'A mouse')::json where position = #2",
        )
        .await;
    assert_eq!(findings(&world).await, [("illegal_step", Some(2))]);
    assert!(world.verify().await.findings[0].detail.contains("subject"));
}

#[tokio::test]
async fn event_before_opening_is_found() {
    let world = World::new().await;
    noted(&world).await;
    world
        .tamper(
            "delete from events where position = #1; update events set position = position - 1, version = version - 1 where position > #0",
        )
        .await;
    let before_opening = ("illegal_step", Some(1));
    assert_eq!(findings(&world).await, [before_opening, ("illegal_step", Some(2))]);
}

#[tokio::test]
async fn unreadable_event_is_found() {
    let world = World::new().await;
    noted(&world).await;
    world.tamper("update events set type = 'ticket.unheard_of' where position = #2").await;
    world.tamper("update events set payload = '{}' where position = #3").await;
    assert_eq!(findings(&world).await, [("unreadable_event", Some(2)), ("unreadable_event", Some(3))]);
}

#[tokio::test]
async fn unreadable_metadata_is_found() {
    let world = World::new().await;
    noted(&world).await;
    world.tamper("update events set metadata = '{}' where position = #2").await;
    world
        .tamper(
            "update events set metadata = replace(metadata::text, '\"agent\"', '\"ghost\"')::json where position = #3",
        )
        .await;
    assert_eq!(findings(&world).await, [("unreadable_metadata", Some(2)), ("unreadable_metadata", Some(3))]);
}

#[tokio::test]
async fn occurred_at_backwards_is_found() {
    let world = World::new().await;
    noted(&world).await;
    world.tamper("update events set occurred_at = occurred_at - interval '2 hours' where position = #3").await;
    assert_eq!(findings(&world).await, [("occurred_at_backwards", Some(3))]);
}

#[tokio::test]
async fn recorded_at_backwards_is_found() {
    let world = World::new().await;
    noted(&world).await;
    world.tamper("update events set recorded_at = recorded_at - interval '1 hour' where position = #3").await;
    assert_eq!(findings(&world).await, [("recorded_at_backwards", Some(3))]);
}

#[tokio::test]
async fn version_order_is_found() {
    let world = World::new().await;
    noted(&world).await;
    world.tamper("update events set version = 9, occurred_at = '2026-01-05T11:00:00Z' where position = #2").await;
    world
        .tamper("update events set version = 2 where position = #3; update events set version = 3 where version = 9")
        .await;
    assert_eq!(findings(&world).await, [("version_order", Some(3))]);
}

#[tokio::test]
async fn alias_without_stream_is_found() {
    let world = World::new().await;
    world.open().await;
    let gone = world.opening(rita(), |open| open.source_id = Some("mail-1".into())).await.ok().await;
    world.tamper("delete from events where position = #2").await;
    assert_eq!(findings(&world).await, [("alias_without_stream", None); 2]);
    assert_eq!(world.verify().await.findings[0].stream, Some(StreamId(gone.id.0)));
}

#[tokio::test]
async fn receipt_without_event_is_found() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, note("n")).key("k", "f").ok().await;
    world.tamper("delete from events where position = #2").await;
    assert_eq!(findings(&world).await, [("receipt_without_event", None)]);
    let found = &world.verify().await.findings[0];
    assert_eq!((found.stream, found.version), (Some(StreamId(ticket.0)), Some(eventstore::Version(2))));
}

#[tokio::test]
async fn findings_are_counted_past_first_thousand() {
    let world = World::new().await;
    let ticket = world.open().await;
    for _ in 0..2 {
        world.when_all(ada(), ticket, vec![note("n"); 600]).ok().await;
    }
    world.tamper("update events set payload = '{}' where position > #1").await;
    let report = world.verify().await;
    assert_eq!((report.broken, report.findings.len()), (1_200, 1_000));
}

#[tokio::test]
async fn log_refuses_changes() {
    let world = World::new().await;
    noted(&world).await;
    for change in ["update events set version = 9", "delete from events", "truncate events"] {
        let refused = sqlx::query(change).execute(&world.owner).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{change}: {refused}");
    }
    assert_eq!(findings(&world).await, []);
}
