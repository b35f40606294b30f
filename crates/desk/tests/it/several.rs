//! Several commands in one request, and commands without effect.

use ticket_aggregate::{Command, Status};

use crate::cast::{ada, assign, follow, lea, note, rename, reply, resolve, rita, system, tag, untag};
use crate::world::{World, since_setup};

#[tokio::test]
async fn commands_are_decided_in_order() {
    let world = World::new().await;
    let ticket = world.open().await;
    // the second is only possible after the first
    let done = world.when_all(system(), ticket, vec![assign("ada"), resolve()]).ok().await;
    // two on the ticket; a slot of the agent's was reserved and released
    assert_eq!((done.version, done.position, done.events), (3, 3, 4));
    assert_eq!(done.ticket.status, Status::Resolved);
    world.when_all(system(), world.open().await, vec![resolve(), assign("ada")]).then_refused("no_assignee").await;
}

#[tokio::test]
async fn assign_and_resolve_at_once_leave_no_slot() {
    let world = World::new().await;
    let (ticket, other) = (world.open().await, world.open().await);
    let both = || vec![assign("ada"), resolve()];
    world.when_all(lea(), ticket, both()).ok().await;
    assert!(world.agent("ada").await.slots.is_empty());
    // each command is decided on what the one before it leaves: also for a moment there must be room
    world.change_agent("ada", agent_aggregate::Command::SetCapacity { capacity: Some(0) }).await;
    world.when_all(lea(), other, both()).then_refused("at_capacity").await;
    assert_eq!(world.events(other).await, ["opened"]);
    assert_eq!(world.verify().await.findings, []);
}

#[tokio::test]
async fn assign_and_unassign_at_once_leave_no_slot() {
    let world = World::new().await;
    let ticket = world.open().await;
    let commands = vec![assign("ada"), assign("lea"), Command::Unassign];
    let done = world.when_all(lea(), ticket, commands).ok().await;
    assert_eq!((done.version, done.events), (4, 7));
    assert!(world.agent("ada").await.slots.is_empty() && world.agent("lea").await.slots.is_empty());
}

#[tokio::test]
async fn commands_are_recorded_in_one_unit() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when_all(ada(), ticket, vec![note("one"), tag("vip"), rename("Fire")]).ok().await;
    let recorded = world.recorded(ticket).await;
    let commands: Vec<_> = recorded[1..].iter().map(|event| event.metadata().unwrap().command_id).collect();
    assert_eq!(commands, [commands[0]; 3]);
    assert_ne!(commands[0], recorded[0].metadata().unwrap().command_id);
    assert_eq!(recorded.iter().map(|event| since_setup(event.position)).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(world.events(ticket).await[1..], ["internal_note_added", "tags_added", "subject_changed"]);
}

#[tokio::test]
async fn rejected_command_discards_all() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when_all(ada(), ticket, vec![note("lost"), rename(" ")]).then_refused("blank").await;
    world.when_all(ada(), ticket, vec![note("lost"), resolve(), resolve()]).then_refused("illegal_transition").await;
    assert_eq!(world.events(ticket).await, ["opened"]);
    assert_eq!(world.when(ada(), ticket, note("kept")).ok().await.version, 2);
}

#[tokio::test]
async fn forbidden_command_discards_all() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when_all(rita(), ticket, vec![reply("hello"), note("secret")]).then_refused("forbidden").await;
    assert_eq!(world.events(ticket).await, ["opened"]);
}

#[tokio::test]
async fn command_without_effect_records_nothing() {
    let world = World::new().await;
    let ticket = world.open().await;
    let first = world.when_all(ada(), ticket, vec![assign("ada"), tag("vip"), follow("ben")]).ok().await;
    for command in [assign("ada"), tag("vip"), follow("ben"), untag("absent"), rename("The printer is on fire")] {
        let again = world.when(ada(), ticket, command.clone()).at(1).ok().await;
        assert_eq!((again.version, again.position, again.events, again.replayed), (4, 4, 0, None), "{command:?}");
        assert_eq!(again.ticket, first.ticket, "{command:?}");
    }
    // of the agent's a slot
    assert_eq!(world.head().await, 5);
}

#[tokio::test]
async fn reply_with_known_source_id_records_nothing() {
    let world = World::new().await;
    let ticket = world.open().await;
    let mail = || Command::Reply { body: "That one.".into(), source_id: Some("mail-2".into()) };
    assert_eq!(world.when(rita(), ticket, mail()).ok().await.events, 1);
    let again = world.when(rita(), ticket, mail()).ok().await;
    assert_eq!((again.version, again.events), (2, 0));
}

#[tokio::test]
async fn command_without_effect_is_replayed_by_key() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, tag("vip")).ok().await;
    let nothing = world.when(ada(), ticket, tag("vip")).key("k", "f").ok().await;
    assert_eq!((nothing.version, nothing.position, nothing.events, nothing.replayed), (2, 2, 0, None));
    world.when(ada(), ticket, untag("vip")).ok().await;
    // were it not a replay, the tag would be added again
    let again = world.when(ada(), ticket, tag("vip")).key("k", "f").ok().await;
    assert_eq!((again.version, again.position, again.replayed), (2, 2, Some(201)));
    assert_eq!(world.head().await, 3);
}
