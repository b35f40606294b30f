//! A timer's command is executed once, and only while the timer is in force.

use chrono::{DateTime, Utc};
use eventsourcing::timers::{Outcome, Timer};
use eventstore::{Position, StreamId, StreamType, Version};
use ticket_aggregate::{Command, TicketId};
use uuid::Uuid;

use crate::cast::{ada, hour};
use crate::world::World;

fn wake(ticket: TicketId, set_by: i64, due_at: DateTime<Utc>) -> Timer {
    let stream_type = StreamType::from_static("ticket");
    let (stream, kind) = (StreamId(ticket.0), "wake".to_owned());
    Timer { due_at, stream, stream_type, set_by: Version(set_by), kind, attempts: 0 }
}

fn hold(wake_at: DateTime<Utc>) -> Command {
    Command::Hold { reason: "A part is on its way.".into(), wake_at: Some(wake_at) }
}

async fn fire(desk: &desk::Desk, timer: &Timer, now: DateTime<Utc>) -> Outcome {
    desk.fire_timer(timer, now, || Uuid::from_u128(0xf14e)).await
}

/// The position of the log's last event.
async fn head(world: &World) -> Position {
    world.desk.store().head().await.unwrap()
}

#[tokio::test]
async fn timer_fires_once_in_whichever_process() {
    let world = World::new().await;
    let ticket = world.open().await;
    let held = world.when(ada(), ticket, hold(hour(1))).ok().await;
    let timer = wake(ticket, held.version, hour(1));
    // the clock of the process that leads is behind
    let fired = fire(&world.desk, &timer, hour(0)).await;
    assert_eq!(fired, Outcome::Fired { position: head(&world).await });
    assert_eq!(world.events(ticket).await, ["opened", "put_on_hold", "resumed"]);
    // whoever issues it again gets the same answer
    assert_eq!(fire(&world.desk, &timer, hour(2)).await, fired);
    assert_eq!(fire(&world.another().await, &timer, hour(2)).await, fired);
    assert_eq!(world.events(ticket).await.len(), 3);
}

#[tokio::test]
async fn superseded_timer_changes_nothing() {
    let world = World::new().await;
    let ticket = world.open().await;
    let held = world.when(ada(), ticket, hold(hour(1))).ok().await;
    let timer = wake(ticket, held.version, hour(1));
    for command in [Command::Resume, hold(hour(3)), Command::Resume, hold(hour(1))] {
        world.when(ada(), ticket, command).ok().await;
        let before = head(&world).await;
        assert_eq!(fire(&world.desk, &timer, hour(2)).await, Outcome::Superseded { position: before });
        assert_eq!(head(&world).await, before);
    }
}

#[tokio::test]
async fn timer_of_nothing_known_fails() {
    let world = World::new().await;
    let ticket = world.open().await;
    let unknown = Timer { kind: "bark".to_owned(), ..wake(ticket, 1, hour(1)) };
    assert!(matches!(fire(&world.desk, &unknown, hour(2)).await, Outcome::Failed { .. }));
    let nowhere = wake(world.new_id(), 1, hour(1));
    assert!(matches!(fire(&world.desk, &nowhere, hour(2)).await, Outcome::Failed { .. }));
}
