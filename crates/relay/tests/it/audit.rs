//! The audit compares message by message.

use relay::{AuditReport, HaltReason, State};

use crate::world::World;

async fn audit(world: &World) -> AuditReport {
    relay::audit(&world.log.store, &world.broker.config(), |_| {}).await.unwrap()
}

fn rules(report: &AuditReport) -> Vec<(&'static str, Option<i64>)> {
    report.findings.iter().map(|finding| (finding.rule, finding.position.map(|position| position.0))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_finds_nothing_where_nothing_is_wrong_also_while_the_log_grows() {
    let world = World::new().await;
    world.log.append(1_500).await;
    let relay = world.relay();
    relay.until_live_at(1_500).await;
    let growing = tokio::spawn({
        let log = world.log.clone();
        async move { log.append(2_000).await }
    });
    let mut last = 0;
    while !growing.is_finished() {
        let report =
            relay::audit(&world.log.store, &world.broker.config(), |done| last = last.max(done)).await.unwrap();
        assert_eq!(report.broken, 0, "{report:?}");
        assert!(report.messages >= report.events, "{report:?}");
    }
    growing.await.unwrap();
    assert!(last >= 1_500);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_finds_a_hole_a_difference_a_foreign_message_and_a_missing_tail() {
    let world = World::new().await;
    assert_eq!(rules(&audit(&world).await), [("no_stream", None)]);
    world.broker.make_stream(|_| {}).await;
    world.log.append(1_100).await;
    let relay = world.relay();
    relay.until_live_at(1_100).await;
    drop(relay);
    assert_eq!(rules(&audit(&world).await), []);

    world.broker.stream().await.delete_message(1_050).await.unwrap();
    world.log.tamper("update events set payload = '{}' where position = 30").await;
    let report = audit(&world).await;
    assert_eq!(rules(&report), [("difference", Some(30)), ("missing_message", Some(1_050))]);
    assert!(report.findings[0].detail.contains("data"), "{report:?}");
    assert_eq!((report.messages, report.events, report.broken), (1_099, 1_100, 2));

    let jetstream = world.broker.jetstream().await;
    jetstream.publish("docket.ticket.x.closed", "hello".into()).await.unwrap().await.unwrap();
    let found = rules(&audit(&world).await);
    assert_eq!(found.last(), Some(&("not_in_log", Some(1_101))), "{found:?}");
    let relay = world.relay();
    relay.until("it halts", |s| matches!(&s.state, State::Halted(halt) if halt.fault == HaltReason::Hole)).await;
    drop(relay);

    world.log.append(3).await;
    let found = rules(&audit(&world).await);
    assert_eq!(found[2..], [("difference", Some(1_101)), ("missing_tail", Some(1_102))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_it_fails_and_says_why() {
    let mut world = World::new().await;
    world.broker.stop().await;
    let error = relay::audit(&world.log.store, &world.broker.config(), |_| {}).await.unwrap_err();
    assert!(error.to_string().starts_with("the broker can't be read"), "{error}");
}
