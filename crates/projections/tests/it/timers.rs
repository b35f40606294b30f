//! Which tickets have a timer, and which timers are due.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use eventsourcing::timers::{DueTimes, Timer};
use eventstore::{NewEvent, Position, Version};
use projections::Projections;
use shared_kernel::{Aggregate, codec};
use ticket_aggregate::{ClosedReason, Event, ResolutionCode, Ticket, Trigger};

use crate::world::{World, caught_up, far, note, opened, ticket};

/// The time by the database's clock, with an offset.
async fn now(world: &World, offset: TimeDelta) -> DateTime<Utc> {
    let now: DateTime<Utc> = sqlx::query_scalar("select clock_timestamp()").fetch_one(&world.pool).await.unwrap();
    now + offset
}

fn hold(wake_at: Option<DateTime<Utc>>) -> Event {
    Event::TicketPutOnHold { reason: None, wake_at }
}

fn resolve(reopen_until: DateTime<Utc>) -> Event {
    Event::TicketResolved { code: ResolutionCode::parse("solved").unwrap(), reopen_until }
}

/// Records events that happened at a time.
async fn record(world: &World, n: u128, events: &[Event], occurred_at: DateTime<Utc>) -> Position {
    let event = |event: &Event| {
        let encoded = codec::encode(event).unwrap();
        NewEvent::new(encoded.event_type, encoded.schema_version, encoded.payload, occurred_at)
    };
    world.append(Ticket::TYPE, ticket(n), events.iter().map(event).collect()).await
}

async fn rows(world: &World) -> Vec<(String, i64)> {
    let sql = "select kind, set_by from read_models.timers_1 order by stream_id";
    sqlx::query_as(sql).fetch_all(&world.pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn timer_follows_the_ticket() {
    let world = World::new().await;
    let process = world.process().await;
    let present = now(&world, TimeDelta::zero()).await;
    let reopened = Event::TicketReopened { reason: None, count: 1, trigger: Trigger::Agent };
    let resumed = Event::TicketResumed { trigger: Trigger::Agent };
    let stories: [&[Event]; 8] = [
        &[hold(Some(far()))],
        &[hold(None)],
        &[hold(Some(far())), resumed.clone()],
        &[hold(Some(far())), note("still waiting")],
        &[hold(Some(far())), resumed.clone(), hold(Some(far()))],
        &[hold(Some(far())), resolve(far())],
        &[resolve(far()), reopened],
        &[resolve(far()), Event::TicketClosed { reason: ClosedReason::Resolved }],
    ];
    let mut head = Position(0);
    for (n, story) in (0..).zip(stories) {
        head = record(&world, n, &[opened(n)], present).await;
        // each event in a batch of its own, or all in one
        if n % 2 == 0 {
            head = record(&world, n, story, present).await;
        } else {
            for event in story {
                head = record(&world, n, std::slice::from_ref(event), present).await;
            }
        }
    }
    caught_up(&process.reader, head).await;
    let timer = |kind: &str, set_by| (kind.to_owned(), set_by);
    assert_eq!(rows(&world).await, [timer("wake", 2), timer("wake", 2), timer("wake", 4), timer("close", 3)]);
    let projections = Projections::new(world.store.clone(), world.pool.clone());
    assert_eq!(projections.verify(|_| {}).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn history_sets_no_timer_that_is_past() {
    let world = World::new().await;
    let process = world.process().await;
    let (past, present) = (now(&world, TimeDelta::days(-30)).await, now(&world, TimeDelta::zero()).await);
    record(&world, 0, &[opened(0), hold(Some(past + TimeDelta::days(1)))], past).await;
    record(&world, 1, &[opened(1), resolve(past + TimeDelta::days(14))], past).await;
    // due after it was recorded
    record(&world, 2, &[opened(2), resolve(past + TimeDelta::days(40))], past).await;
    // due while the command was executed
    let head = record(&world, 3, &[opened(3), hold(Some(present))], present).await;
    caught_up(&process.reader, head).await;
    assert_eq!(rows(&world).await, [("close".to_owned(), 2), ("wake".to_owned(), 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn due_timers_are_read_in_order_without_those_held_back() {
    let world = World::new().await;
    let process = world.process().await;
    let timers = process.reader.timers();
    let present = now(&world, TimeDelta::zero()).await;
    for n in 0..4 {
        let wake_at = present + TimeDelta::milliseconds(i64::try_from(10 - n).unwrap());
        record(&world, n, &[opened(n), hold(Some(wake_at))], present).await;
    }
    let later = present + TimeDelta::hours(1);
    let head = record(&world, 4, &[opened(4), hold(Some(later))], present).await;
    caught_up(&process.reader, head).await;
    let due = timers.due(100).await.unwrap();
    let streams: Vec<_> = due.timers.iter().map(|timer| timer.stream).collect();
    assert_eq!((streams, due.position), (vec![ticket(3), ticket(2), ticket(1), ticket(0)], head));
    let next_in = due.next_in.unwrap();
    assert!(next_in > Duration::from_mins(50) && next_in <= Duration::from_hours(1), "{next_in:?}");
    let first: &Timer = &due.timers[0];
    assert_eq!((first.kind.as_str(), first.set_by, first.attempts), ("wake", Version(2), 0));
    assert_eq!(timers.due(1).await.unwrap().timers, due.timers[..1]);

    timers.hold_back(first, "refused", "not today", Duration::from_mins(1)).await.unwrap();
    assert_eq!(timers.due(100).await.unwrap().timers, due.timers[1..]);
    let backlog = timers.backlog().await.unwrap();
    assert_eq!((backlog.held_back, backlog.overdue), (1, 3));
    timers.hold_back(first, "failed", "again", Duration::ZERO).await.unwrap();
    assert_eq!(timers.due(1).await.unwrap().timers[0].attempts, 2);
    timers.remove_stale().await.unwrap();
    assert_eq!(timers.backlog().await.unwrap().held_back, 1, "the model has the timer");

    let resumed = Event::TicketResumed { trigger: Trigger::Agent };
    let head = record(&world, 3, &[resumed], now(&world, TimeDelta::zero()).await).await;
    caught_up(&process.reader, head).await;
    timers.remove_stale().await.unwrap();
    assert_eq!(timers.backlog().await.unwrap().held_back, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_due_before_the_model_is_built() {
    let world = World::new().await;
    let reader = Projections::new(world.store.clone(), world.pool.clone()).reader();
    let due = reader.timers().due(10).await.unwrap();
    assert_eq!((due.timers.len(), due.position), (0, Position(0)));
}
