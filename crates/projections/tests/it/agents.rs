//! The list of agents.

use agent_aggregate::{Agent, Event, Presence, Skill};
use eventstore::{NewEvent, Position, StreamId};
use projections::{AgentQuery, Reader};
use shared_kernel::AgentId;
use shared_kernel::testing::ticket;

use crate::records::{agent_story, any_agent, handle, helper, queue, someone};
use crate::world::{World, at, at_least, eventually};

const COUNT: u32 = 9;

async fn agents(world: &World) -> Position {
    for n in 0..COUNT {
        world.record_as::<Agent>(StreamId(helper(n).0), &agent_story(n)).await;
    }
    world.store.head().await.unwrap()
}

async fn found(reader: &Reader, head: Position, query: AgentQuery) -> Vec<AgentId> {
    let page = reader.agents(&query, at_least(head)).await.unwrap();
    assert_eq!((page.position, page.next), (head, None));
    page.items.into_iter().map(|row| row.id).collect()
}

/// These agents, in the order of the bytes of their handles.
fn sorted(numbers: impl IntoIterator<Item = u32>) -> Vec<AgentId> {
    let mut numbers: Vec<_> = numbers.into_iter().collect();
    numbers.sort_by_key(|n| handle(*n));
    numbers.into_iter().map(helper).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_are_what_their_streams_say() {
    let world = World::new().await;
    agents(&world).await;
    let process = world.process().await;
    world.assert_right(&process.reader).await;
    let head =
        world.record_as::<Agent>(StreamId(helper(4).0), &[Event::SlotReleased { ticket: ticket("second") }]).await;
    world.assert_right(&process.reader).await;
    let page =
        process.reader.agents(&AgentQuery { ids: vec![helper(4)], ..any_agent() }, at_least(head)).await.unwrap();
    let row = &page.items[0];
    assert_eq!((row.version.0, row.position, row.record.load()), (9, head, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_are_filtered_and_sorted_by_handle() {
    let world = World::new().await;
    let head = agents(&world).await;
    let process = world.process().await;
    let check = async |query: AgentQuery, expected: Vec<AgentId>| {
        assert_eq!(found(&process.reader, head, query.clone()).await, expected, "{query:?}");
    };
    check(any_agent(), sorted(0..COUNT)).await;
    check(AgentQuery { team: Some(queue(1)), ..any_agent() }, sorted([1, 4, 7])).await;
    check(AgentQuery { team: Some(queue(9)), ..any_agent() }, Vec::new()).await;
    let skill = |skill| Some(Skill::parse(skill).unwrap());
    check(AgentQuery { skill: skill("French \"C1\""), ..any_agent() }, sorted([2, 5, 8])).await;
    check(AgentQuery { skill: skill("French"), ..any_agent() }, Vec::new()).await;
    check(AgentQuery { presence: vec![Presence::Away], ..any_agent() }, sorted([1, 4, 7])).await;
    check(
        AgentQuery { presence: vec![Presence::Offline, Presence::Online], ..any_agent() },
        sorted([0, 2, 3, 5, 6, 8]),
    )
    .await;
    check(AgentQuery { people: vec![someone(3), someone(4)], ..any_agent() }, sorted([3, 4])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn undecodable_event_parks_its_agent_only() {
    let world = World::new().await;
    agents(&world).await;
    let frozen = NewEvent::new("agent.frozen", 1, "{}", at(0));
    let poisoned = world.append("agent", StreamId(helper(1).0), vec![frozen]).await;
    let story = agent_story(COUNT);
    let unregistered = world.record_as::<Agent>(StreamId(helper(COUNT).0), &story[1..]).await;
    let head = world.record_as::<Agent>(StreamId(helper(COUNT + 1).0), &story).await;
    let process = world.process().await;
    assert_eq!(found(&process.reader, head, any_agent()).await.len(), 10);
    let faults = eventually("a live generation", async || {
        let all = process.reader.status().await.unwrap();
        all.into_iter().find(|status| status.name == "agents").map(|status| status.faults)
    })
    .await;
    let errors: Vec<_> = faults.iter().map(|fault| (fault.stream, fault.error.as_str())).collect();
    assert_eq!(errors.len(), 2);
    assert_eq!((faults[0].stream, faults[0].position), (StreamId(helper(1).0), poisoned));
    assert!(faults[0].error.contains("agent.frozen"), "{errors:?}");
    assert!(faults[1].position < unregistered && faults[1].error.contains("the agent does not exist"), "{errors:?}");
}
