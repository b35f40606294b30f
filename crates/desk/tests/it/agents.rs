//! Agents' slots: a ticket weighs on its agent as long as there is something for them to do.

use agent_aggregate::{Command as AgentCommand, Presence};
use desk::{NewAgent, TicketCommand};
use shared_kernel::StreamVersion;
use shared_kernel::testing::{agent, team};
use ticket_aggregate::{Command, Status, TicketId};

use crate::cast::{WINDOW, ada, assign, hold, hour, lea, reopen, reply, resolve, rita, root, route, system};
use crate::setup::{handle, register_agent};
use crate::when::refusal;
use crate::world::World;

/// The tickets that take up the agent's capacity.
async fn slots(world: &World, name: &str) -> Vec<TicketId> {
    world.agent(name).await.slots.into_keys().collect()
}

/// The overrides of the agent's reservations, in order.
async fn overrides(world: &World, name: &str) -> Vec<Option<String>> {
    let stream = eventstore::StreamId(agent(name).0);
    let events = world.desk.store().read_stream(stream, eventstore::StreamRange::default()).await.unwrap();
    let reserved = events.iter().filter(|event| event.event_type == "agent.slot_reserved");
    let payload =
        |event: &eventstore::RecordedEvent| serde_json::from_str::<serde_json::Value>(&event.payload).unwrap();
    reserved.map(|event| payload(event)["override"].as_str().map(str::to_owned)).collect()
}

fn over_capacity(name: &str) -> TicketCommand {
    TicketCommand::Assign { assignee: name.parse().unwrap(), over_capacity: true }
}

/// A ticket of Rita's that Ada has.
async fn assigned(world: &World) -> TicketId {
    let ticket = world.open().await;
    world.when(lea(), ticket, assign("ada")).ok().await;
    ticket
}

#[tokio::test]
async fn assign_reserves_slot_in_the_same_unit() {
    let world = World::new().await;
    let ticket = world.open().await;
    let done = world.when(lea(), ticket, assign("ada")).ok().await;
    assert_eq!((done.version, done.events), (2, 2));
    assert_eq!(slots(&world, "ada").await, [ticket]);
    let stream = eventstore::StreamId(agent("ada").0);
    let events = world.desk.store().read_stream(stream, eventstore::StreamRange::default()).await.unwrap();
    let (here, there) = (&world.recorded(ticket).await[1], events.last().unwrap());
    assert_eq!(there.event_type, "agent.slot_reserved");
    assert_eq!((here.metadata().unwrap(), here.position.0 + 1), (there.metadata().unwrap(), there.position.0));
    // again changes nothing
    assert_eq!(world.when(lea(), ticket, assign("ada")).ok().await.events, 0);
}

#[tokio::test]
async fn slot_is_released_by_whatever_ends_the_work() {
    let world = World::new().await;
    let ends = [
        vec![resolve()],
        vec![hold()],
        vec![reply("Which one?"), Command::AwaitRequester],
        vec![Command::Spam],
        vec![route("network")],
        vec![Command::Unassign],
    ];
    for commands in ends {
        let ticket = assigned(&world).await;
        assert_eq!(slots(&world, "ada").await, [ticket]);
        world.when_all(ada(), ticket, commands.clone()).ok().await;
        assert!(slots(&world, "ada").await.is_empty(), "{commands:?}");
    }
    let confirmed = assigned(&world).await;
    world.when(rita(), confirmed, Command::Confirm).ok().await;
    assert!(slots(&world, "ada").await.is_empty());
    assert_eq!(world.verify().await.findings, []);
}

#[tokio::test]
async fn slot_moves_with_the_ticket() {
    let world = World::new().await;
    let ticket = assigned(&world).await;
    world.when(lea(), ticket, assign("lea")).ok().await;
    assert_eq!((slots(&world, "ada").await, slots(&world, "lea").await), (vec![], vec![ticket]));
}

#[tokio::test]
async fn assign_of_waiting_ticket_reserves_nothing() {
    let world = World::new().await;
    let ticket = assigned(&world).await;
    world.when(ada(), ticket, hold()).ok().await;
    world.when(lea(), ticket, assign("lea")).ok().await;
    assert!(slots(&world, "lea").await.is_empty());
    world.when(lea(), ticket, Command::Resume).ok().await;
    assert_eq!(slots(&world, "lea").await, [ticket]);
}

#[tokio::test]
async fn assign_at_capacity_is_refused() {
    let world = World::new().await;
    world.change_agent("ada", AgentCommand::SetCapacity { capacity: Some(1) }).await;
    let (first, second) = (assigned(&world).await, world.open().await);
    world.when(lea(), second, assign("ada")).then_refused("at_capacity").await;
    world.when(ada(), second, assign("ada")).then_refused("at_capacity").await;
    // a router is bound by it as well
    world.when(system(), second, assign("ada")).then_refused("at_capacity").await;
    assert_eq!(world.events(second).await, ["opened"]);
    world.when(ada(), first, resolve()).ok().await;
    world.when(lea(), second, assign("ada")).ok().await;
    assert_eq!(slots(&world, "ada").await, [second]);
}

#[tokio::test]
async fn assign_over_capacity_records_override() {
    let world = World::new().await;
    world.change_agent("ada", AgentCommand::SetCapacity { capacity: Some(1) }).await;
    let (first, second) = (world.open().await, world.open().await);
    // it was allowed, and not needed
    world.when(lea(), first, over_capacity("ada")).ok().await;
    world.when(lea(), second, over_capacity("ada")).ok().await;
    assert_eq!(overrides(&world, "ada").await, [None, Some("manual".into())]);
    assert_eq!(world.agent("ada").await.load(), 2);
}

#[tokio::test]
async fn import_is_not_bound_by_capacity() {
    let world = World::new().await;
    world.change_agent("ada", AgentCommand::SetCapacity { capacity: Some(0) }).await;
    let ticket = world.open().await;
    world.when(root(), ticket, assign("ada")).imported().ok().await;
    assert_eq!(overrides(&world, "ada").await, [Some("manual".into())]);
}

#[tokio::test]
async fn reply_reserves_again_beyond_capacity() {
    let world = World::new().await;
    world.change_agent("ada", AgentCommand::SetCapacity { capacity: Some(1) }).await;
    let ticket = assigned(&world).await;
    world.when_all(ada(), ticket, vec![reply("Which one?"), Command::AwaitRequester]).ok().await;
    let other = assigned(&world).await;
    let replied = world.when(rita(), ticket, reply("That one.")).ok().await;
    assert_eq!((replied.ticket.status, replied.ticket.assignee), (Status::Open, Some(agent("ada"))));
    assert_eq!(world.agent("ada").await.load(), 2);
    assert_eq!(overrides(&world, "ada").await, [None, None, Some("returned".into())]);
    world.when(ada(), other, resolve()).ok().await;
    assert_eq!(slots(&world, "ada").await, [ticket]);
}

/// Wake, resume and reopen make a ticket weigh again as a reply does.
#[tokio::test]
async fn whatever_resumes_work_reserves_again() {
    let world = World::new().await;
    let ticket = assigned(&world).await;
    let timer = Command::Hold { reason: "a part".into(), wake_at: Some(hour(2)) };
    let held = world.when(ada(), ticket, timer).ok().await;
    let wake = Command::Wake { set_by: StreamVersion(held.version) };
    let waits = [
        (None, system(), wake),
        (Some(hold()), lea(), Command::Resume),
        (Some(resolve()), rita(), reopen("again")),
        (Some(resolve()), lea(), reopen("again")),
        (Some(resolve()), rita(), reply("again")),
    ];
    for (wait, caller, command) in waits {
        if let Some(wait) = wait {
            world.when(ada(), ticket, wait).at(2).ok().await;
        }
        assert!(slots(&world, "ada").await.is_empty(), "{command:?}");
        world.when(caller, ticket, command.clone()).at(2).ok().await;
        assert_eq!(slots(&world, "ada").await, [ticket], "{command:?}");
    }
    world.when(ada(), ticket, resolve()).at(2).ok().await;
    world.when(rita(), ticket, reply("late")).at(WINDOW + 3).ok().await;
    assert!(slots(&world, "ada").await.is_empty(), "a follow-up is a ticket of its own");
}

#[tokio::test]
async fn ticket_of_absent_agent_returns_to_queue() {
    let world = World::new().await;
    let leave = AgentCommand::LeaveTeam { team: team("hardware") };
    let join = AgentCommand::JoinTeam { team: team("hardware") };
    let go = |presence| AgentCommand::SetPresence { presence };
    let absences = [(go(Presence::Offline), go(Presence::Online)), (leave, join)];
    for (absent, back) in absences {
        let ticket = assigned(&world).await;
        world.when(ada(), ticket, hold()).ok().await;
        world.change_agent("ada", absent.clone()).await;
        let replied = world.when(rita(), ticket, reply("Hello?")).ok().await;
        assert_eq!((replied.ticket.status, replied.ticket.assignee), (Status::Open, None), "{absent:?}");
        let last = world.recorded(ticket).await.last().unwrap().payload.clone();
        assert!(last.contains("unavailable"), "{last}");
        assert!(slots(&world, "ada").await.is_empty());
        world.change_agent("ada", back).await;
    }
    // who is away keeps their tickets
    let ticket = assigned(&world).await;
    world.when(ada(), ticket, hold()).ok().await;
    world.change_agent("ada", go(Presence::Away)).await;
    world.when(rita(), ticket, reply("Hello?")).ok().await;
    assert_eq!(slots(&world, "ada").await, [ticket]);
}

#[tokio::test]
async fn presence_changed_elsewhere_is_believed() {
    let world = World::new().await;
    let beside = world.another().await;
    let ticket = world.open().await;
    world.when(lea(), ticket, assign("ada")).on(&beside).ok().await;
    world.when(ada(), ticket, hold()).on(&beside).ok().await;
    world.change_agent("ada", AgentCommand::SetPresence { presence: Presence::Offline }).await;
    // the other process still knows her as online, and then as offline
    let replied = world.when(rita(), ticket, reply("Hello?")).on(&beside).ok().await;
    assert_eq!(replied.ticket.assignee, None);
    world.when_all(lea(), ticket, vec![assign("ada"), hold()]).on(&beside).ok().await;
    world.change_agent("ada", AgentCommand::SetPresence { presence: Presence::Online }).await;
    let replied = world.when(rita(), ticket, reply("Hello?")).on(&beside).ok().await;
    assert_eq!(replied.ticket.assignee, Some(agent("ada")));
}

#[tokio::test]
async fn agent_is_registered_with_person_and_teams() {
    let world = World::new().await;
    register_agent(&world.desk, "mia", &["network"], Some(3)).await.unwrap();
    let mia = world.agent("mia").await;
    assert_eq!(
        (mia.handle.as_str(), mia.person, mia.capacity),
        ("mia", shared_kernel::testing::person("mia"), Some(3))
    );
    assert_eq!(mia.teams, [team("network")].into());
    assert_eq!(world.desk.agent_id(&"mia".parse().unwrap()).await.unwrap(), Some(agent("mia")));
    // registered, joined; the person, and their address
    assert_eq!(world.head().await, 4);
}

#[tokio::test]
async fn agent_handle_is_unique() {
    let world = World::new().await;
    let refused = world.desk.register_agent(NewAgent::named(handle("ada")), world.call(root())).await.unwrap_err();
    assert_eq!(refusal(refused).code, "agent-handle_used");
    assert_eq!(world.head().await, 0);
}

#[tokio::test]
async fn ensured_agent_joins_missing_teams() {
    let world = World::new().await;
    let new = || NewAgent { teams: vec![team("hardware"), team("network")], ..NewAgent::named(handle("ada")) };
    let ensured = world.desk.ensure_agent(new(), || world.call(root())).await.unwrap();
    assert_eq!(ensured, agent("ada"));
    assert_eq!(world.agent("ada").await.teams.len(), 2);
    world.desk.ensure_agent(new(), || world.call(root())).await.unwrap();
    assert_eq!(world.head().await, 1);
}

#[tokio::test]
async fn same_agent_ensured_at_once_is_one() {
    let world = World::new().await;
    let beside = world.another().await;
    let new = || NewAgent::named(handle("mia"));
    let held = world.hold_appends().await;
    let (one, other, ()) = tokio::join!(
        world.desk.ensure_agent(new(), || world.call(root())),
        beside.ensure_agent(new(), || world.call(root())),
        async {
            world.until_waiting(2).await;
            held.commit().await.unwrap();
        },
    );
    assert_eq!(one.unwrap(), other.unwrap());
    assert_eq!(world.head().await, 2);
}
