//! Of several processes one leads, and another takes over.

use crate::world::{World, all_tickets};

#[tokio::test(flavor = "multi_thread")]
async fn standby_takes_over() {
    let world = World::new().await;
    world.story(0).await;
    let first = world.process().await;
    world.assert_right(&first.reader).await;
    let second = world.process().await;
    world.story(1).await;
    world.assert_right(&second.reader).await;
    drop(first);
    for n in 2..10 {
        world.story(n).await;
    }
    world.assert_right(&second.reader).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reader_beside_another_leader_waits() {
    let world = World::new().await;
    let leader = world.process().await;
    let beside = world.process().await;
    for n in 0..20 {
        // whoever of the two leads, the other has to look
        let position = world.story(n).await;
        for reader in [&leader.reader, &beside.reader] {
            assert!(all_tickets(reader, position).await.len() > usize::try_from(n).unwrap());
        }
    }
}
