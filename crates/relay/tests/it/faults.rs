//! The broker dies, loses its tail or all of it: it is filled again, by itself.

use std::path::Path;
use std::process::Command;

use relay::State;

use crate::world::{World, until};

#[tokio::test(flavor = "multi_thread")]
async fn killed_broker_gets_the_whole_log() {
    let mut world = World::new().await;
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let load = tokio::spawn({
        let log = world.log.clone();
        async move {
            while stopped.try_recv().is_err() {
                log.append(50).await;
            }
        }
    });
    let _relays = [world.relay(), world.relay()];
    for _ in 0..3 {
        let before = world.broker.last().await.unwrap_or(0);
        until("it goes on", async || world.broker.last().await > Some(before + 300)).await;
        world.broker.kill().await;
        let head = world.log.head().await;
        until("commands succeed without a broker", async || world.log.head().await > head + 100).await;
        world.broker.start().await;
    }
    stop.send(()).unwrap();
    load.await.unwrap();
    world.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_without_its_disk_is_refilled() {
    let mut world = World::new().await;
    world.log.append(2_000).await;
    let relay = world.relay();
    relay.until_live_at(2_000).await;
    world.broker.stop().await;
    std::fs::remove_dir_all(world.broker.data()).unwrap();
    relay.until("it notices", |status| status.state == State::Connecting).await;
    world.broker.start().await;
    relay.until_live_at(2_000).await;
    world.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_stream_is_recreated_while_idle() {
    let world = World::new().await;
    world.log.append(700).await;
    let relay = world.relay();
    relay.until_live_at(700).await;
    world.broker.delete_stream().await;
    world.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_broker_gets_its_tail() {
    let mut world = World::new().await;
    world.log.append(800).await;
    let relay = world.relay();
    relay.until_live_at(800).await;
    world.broker.stop().await;
    let (data, kept) = (world.broker.data(), world.broker.data().with_extension("kept"));
    copy(&data, &kept);
    world.broker.start().await;
    world.log.append(900).await;
    relay.until_live_at(1_700).await;

    world.broker.stop().await;
    std::fs::remove_dir_all(&data).unwrap();
    copy(&kept, &data);
    world.log.append(10).await;
    world.broker.start().await;
    relay.until_live_at(1_710).await;
    world.assert_whole().await;
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn unreachable_database_only_delays() {
    let world = World::new().await;
    world.log.append(300).await;
    let relay = world.relay();
    for _ in 0..5 {
        sqlx::query(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity
              where datname = current_database() and pid <> pg_backend_pid()",
        )
        .execute(&world.log.pool)
        .await
        .unwrap();
        world.log.append(100).await;
    }
    relay.until_live_at(800).await;
    world.assert_whole().await;
}
