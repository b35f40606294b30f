//! An event that can't be applied parks its ticket, and nothing else.

use std::time::Duration;

use eventstore::{Position, StreamId};
use projections::{Action, Outcome, Reader, Status};

use crate::world::{World, all_tickets, caught_up, eventually, note, opened, ticket};

const WAIT: Duration = Duration::from_secs(20);
/// The read models that follow tickets.
const OF_TICKETS: [&str; 3] = ["tickets", "queues", "timers"];

/// The live generation of a read model, as soon as there is one: a process that has just started makes it.
async fn live(reader: &Reader, name: &str) -> Status {
    eventually("a live generation", async || {
        let all = reader.status().await.unwrap();
        all.into_iter().find(|status| status.name == name && status.state == "live")
    })
    .await
}

async fn repair(reader: &Reader, name: &str, stream: StreamId, action: &Action) -> Outcome {
    reader.repair(name, stream, action, "root", WAIT).await.unwrap().unwrap().expect("an answer in time")
}

/// Four tickets, the second with an event that nobody can read, and one after it: where the event is, and the log's end.
async fn one_of_four(world: &World) -> (Position, Position) {
    for n in 0..3 {
        world.story(n).await;
    }
    let poisoned = world.record_poison(ticket(1)).await;
    world.record(ticket(1), &[note("passed over")]).await;
    (poisoned, world.story(3).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn undecodable_event_parks_its_stream_only() {
    let world = World::new().await;
    let process = world.process().await;
    let (poisoned, head) = one_of_four(&world).await;

    let found = all_tickets(&process.reader, head).await;
    assert_eq!(found.len(), 4, "the others move on");
    let stayed = found[&ticket(1)].version.0;
    let all = world.folded().await;
    assert!(stayed < all[&ticket(1)].version.0, "its row stays as it was");

    let status = live(&process.reader, "tickets").await;
    assert_eq!((status.parked_streams, status.lag_events), (1, 0));
    assert_eq!((status.faults[0].stream, status.faults[0].position), (ticket(1), poisoned));
    assert!(status.faults[0].error.contains("ticket.frozen"), "{}", status.faults[0].error);

    let outcome = repair(&process.reader, "tickets", ticket(1), &Action::Retry).await;
    assert!(!outcome.healed && outcome.text.contains("still parked"), "{}", outcome.text);
    let outcome = repair(&process.reader, "tickets", ticket(0), &Action::Retry).await;
    assert!(!outcome.healed && outcome.text.contains("not parked"), "{}", outcome.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn skip_is_recorded_and_holds_in_rebuilds() {
    let world = World::new().await;
    let process = world.process().await;
    for n in 0..3 {
        world.story(n).await;
    }
    let poisoned = world.record_poison(ticket(1)).await;
    let head = world.record(ticket(1), &[note("after it")]).await;
    all_tickets(&process.reader, head).await;

    let action = Action::Skip { reason: "never happened".into() };
    for name in OF_TICKETS {
        caught_up(&process.reader, head).await;
        let outcome = repair(&process.reader, name, ticket(1), &action).await;
        assert!(outcome.healed, "{}", outcome.text);
    }
    world.assert_right(&process.reader).await;
    let skips: Vec<(String, i64, String, String)> =
        sqlx::query_as("select subscription, position, reason, skipped_by from subscriptions.skips order by 1")
            .fetch_all(&world.pool)
            .await
            .unwrap();
    let skip = |name: &str| (name.to_owned(), poisoned.0, "never happened".to_owned(), "root".to_owned());
    assert_eq!(skips, [skip("queues"), skip("tickets"), skip("timers")]);

    let generation = process.reader.rebuild("tickets").await.unwrap().unwrap();
    crate::rebuilds::served(&process.reader, "tickets", generation).await;
    assert_eq!(live(&process.reader, "tickets").await.comparison.as_deref(), Some("equal"));
    world.assert_right(&process.reader).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repair_goes_page_by_page() {
    let world = World::new().await;
    let process = world.process().await;
    world.record(ticket(1), &[opened(1)]).await;
    world.record_poison(ticket(1)).await;
    // more than a first page has
    for n in 0..100 {
        world.record(ticket(1), &[note(&format!("passed over, {n}"))]).await;
    }
    let second = world.record_poison(ticket(1)).await;
    let head = world.record(ticket(1), &vec![note("and so on"); 100]).await;
    assert_eq!(all_tickets(&process.reader, head).await[&ticket(1)].version.0, 1);

    let action = Action::Skip { reason: "never happened".into() };
    let outcome = repair(&process.reader, "tickets", ticket(1), &action).await;
    assert!(!outcome.healed && outcome.text.contains("at version 103"), "{}", outcome.text);
    assert_eq!(live(&process.reader, "tickets").await.faults[0].position, second);
    assert_eq!(all_tickets(&process.reader, head).await[&ticket(1)].version.0, 102, "as far as it can be read");
    let outcome = repair(&process.reader, "tickets", ticket(1), &action).await;
    assert_eq!(outcome, Outcome { healed: true, text: "goes on: 100 events were applied".into() });

    let action = Action::Skip { reason: "never happened".into() };
    for _ in 0..2 {
        repair(&process.reader, "queues", ticket(1), &action).await;
    }
    world.assert_right(&process.reader).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rebuild_parks_and_continues() {
    let world = World::new().await;
    let process = world.process().await;
    let (poisoned, head) = one_of_four(&world).await;
    let before = all_tickets(&process.reader, head).await;

    for name in OF_TICKETS {
        let generation = process.reader.rebuild(name).await.unwrap().unwrap();
        crate::rebuilds::served(&process.reader, name, generation).await;
        let status = live(&process.reader, name).await;
        assert_eq!(status.comparison.as_deref(), Some("equal"), "{name}");
        assert_eq!((status.parked_streams, status.faults[0].position), (1, poisoned), "{name}");
    }
    assert_eq!(all_tickets(&process.reader, head).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_data_is_found_in_a_batch_and_retried() {
    let world = World::new().await;
    {
        let process = world.process().await;
        all_tickets(&process.reader, world.story(0).await).await;
    }
    sqlx::query("alter table read_models.tickets_1 add constraint no_kerosene check (category <> 'kerosene')")
        .execute(&world.pool)
        .await
        .unwrap();
    // all of it in one batch
    for n in 1..40 {
        world.record(ticket(n), &[opened(n), note("and"), note("so on")]).await;
    }
    let change = ticket_aggregate::Event::CategoryChanged { from: None, to: "kerosene".into() };
    let poisoned = world.record(ticket(7), &[change]).await;
    for n in 1..40 {
        world.record(ticket(n), &[note("after")]).await;
    }
    let head = world.store.head().await.unwrap();
    let process = world.process().await;
    let found = all_tickets(&process.reader, head).await;
    let versions = |n| found[&ticket(n)].version.0;
    assert_eq!((versions(7), versions(8)), (3, 4));
    let status = live(&process.reader, "tickets").await;
    assert_eq!((status.parked_streams, status.faults[0].position), (1, poisoned));
    assert!(status.faults[0].error.contains("no_kerosene"), "{}", status.faults[0].error);
    assert_eq!(live(&process.reader, "queues").await.parked_streams, 0);

    sqlx::query("alter table read_models.tickets_1 drop constraint no_kerosene").execute(&world.pool).await.unwrap();
    let outcome = repair(&process.reader, "tickets", ticket(7), &Action::Retry).await;
    assert_eq!(outcome, Outcome { healed: true, text: "goes on: 2 events were applied".into() });
    world.assert_right(&process.reader).await;
    assert_eq!(live(&process.reader, "tickets").await.parked_streams, 0);
    assert!(head > Position(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn event_without_opening_is_parked() {
    let world = World::new().await;
    let process = world.process().await;
    world.record(ticket(1), &[note("to whom?")]).await;
    let head = world.story(2).await;
    assert_eq!(all_tickets(&process.reader, head).await.len(), 1);
    let status = live(&process.reader, "tickets").await;
    assert!(status.faults[0].error.contains("the ticket does not exist"), "{}", status.faults[0].error);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_stream_types_are_passed_over() {
    let world = World::new().await;
    let process = world.process().await;
    world.story(0).await;
    world.record_other(ticket(1_000)).await;
    let head = world.record_other(ticket(1_001)).await;
    world.assert_right(&process.reader).await;
    for name in projections::names() {
        let generation = process.reader.rebuild(name).await.unwrap().unwrap();
        crate::rebuilds::served(&process.reader, name, generation).await;
        let status = live(&process.reader, name).await;
        assert_eq!((status.position, status.parked_streams), (head, 0), "{name}");
    }
    world.assert_right(&process.reader).await;
    let projections = projections::Projections::new(world.store.clone(), world.pool.clone());
    assert_eq!(projections.verify(|_| {}).await.unwrap(), []);
}
