//! No agent's capacity is exceeded, however many assign at once.

use std::collections::BTreeMap;

use desk::AsOf;
use futures_util::StreamExt;
use ticket_aggregate::{Command, TicketId};

use crate::cast::{assign, lea, resolve};
use crate::setup::register_agent;
use crate::world::World;

const AGENTS: usize = 10;
const CAPACITY: u32 = 3;
const TICKETS: usize = 300;
const AT_ONCE: usize = 64;

fn name(n: usize) -> String {
    format!("agent-{n}")
}

async fn loads(world: &World) -> Vec<u64> {
    let mut loads = Vec::new();
    for n in 0..AGENTS {
        loads.push(world.agent(&name(n)).await.load());
    }
    loads
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_assigns_never_exceed_capacity() {
    let world = World::new().await;
    let beside = world.another().await;
    for n in 0..AGENTS {
        register_agent(&world.desk, &name(n), &["hardware"], Some(CAPACITY)).await.unwrap();
    }
    let mut tickets = Vec::new();
    for _ in 0..TICKETS {
        tickets.push(world.open().await);
    }

    let assigns = (0..).zip(&tickets).map(|(n, ticket): (usize, &TicketId)| {
        let desk = if n % 2 == 0 { &world.desk } else { &beside };
        let assign = world.when(lea(), *ticket, assign(&name(n % AGENTS))).on(desk);
        async move { (*ticket, n % AGENTS, assign.run().await) }
    });
    let done: Vec<_> = futures_util::stream::iter(assigns).buffer_unordered(AT_ONCE).collect().await;

    let mut assigned = Vec::new();
    let mut of_agents = BTreeMap::<usize, u32>::new();
    for (ticket, agent, outcome) in done {
        match outcome {
            Ok(_) => {
                assigned.push(ticket);
                *of_agents.entry(agent).or_default() += 1;
            }
            Err(refusal) => assert_eq!(refusal.code, "at_capacity"),
        }
    }
    assert_eq!(of_agents, (0..AGENTS).map(|agent| (agent, CAPACITY)).collect());
    assert_eq!(loads(&world).await, [u64::from(CAPACITY); AGENTS]);

    let resolves = assigned.iter().map(|ticket| world.when(lea(), *ticket, resolve()).ok());
    futures_util::stream::iter(resolves).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await;
    assert_eq!(loads(&world).await, [0; AGENTS]);
    assert_eq!(world.verify().await.findings, []);
}

/// Each process remembers the agent as they were when it last looked.
#[tokio::test]
async fn slot_moves_whatever_a_process_remembers_of_the_agent() {
    let world = World::new().await;
    let beside = world.another().await;
    let (ticket, other) = (world.open().await, world.open().await);
    world.when(lea(), other, assign("ada")).ok().await;
    world.when(lea(), ticket, assign("ada")).on(&beside).ok().await;
    // of the ticket it knows the newest state
    world.desk.ticket(ticket, AsOf::Now, &lea()).await.unwrap();
    world.when(lea(), ticket, Command::Unassign).ok().await;
    assert_eq!(world.agent("ada").await.slots.keys().collect::<Vec<_>>(), [&other]);

    beside.ticket(ticket, AsOf::Now, &lea()).await.unwrap();
    world.when(lea(), ticket, assign("ada")).on(&beside).ok().await;
    assert_eq!(world.agent("ada").await.slots.len(), 2);
}
