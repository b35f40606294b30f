//! Several relays at once: the broker refuses what is out of turn, so they can't harm each other.

use relay::State;

use crate::world::{Running, World, until};

fn standing_by(relays: &[Running]) -> usize {
    relays.iter().filter(|relay| relay.status.borrow().state == State::Standby).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_three_publishes_and_another_takes_over() {
    let world = World::new().await;
    world.log.append(2_000).await;
    let mut relays = vec![world.relay(), world.relay(), world.relay()];
    while !relays.is_empty() {
        let goal = world.log.head().await + 1_000;
        // whoever publishes at the same time is told so by the broker
        until("one relay publishes and the others stand by", async || {
            world.log.append(5).await;
            world.log.head().await >= goal && standing_by(&relays) >= relays.len() - 1
        })
        .await;
        world.assert_whole().await;
        let active = relays.iter().position(|relay| relay.status.borrow().state != State::Standby);
        drop(relays.remove(active.unwrap_or(0)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn relays_dropped_at_random_publish_the_log_only() {
    let world = World::new().await;
    world.log.append(500).await;
    for round in 0..12 {
        let relays = (0..3).map(|_| world.relay()).collect::<Vec<_>>();
        let before = world.broker.last().await.unwrap_or(0);
        world.log.append(300).await;
        // dropped in the midst of publishing
        until("something was published", async || world.broker.last().await > Some(before)).await;
        drop(relays);
        assert!(world.broker.last().await <= Some(world.log.head().await), "round {round}");
    }
    let _relay = world.relay();
    world.assert_whole().await;
}
