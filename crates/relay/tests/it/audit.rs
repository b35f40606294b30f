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
async fn audit_is_clean_while_the_log_grows() {
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
async fn audit_finds_every_kind_of_difference() {
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
    let actor = "update events set metadata = jsonb_set(metadata::jsonb, '{actor,id}', '\"mallory\"')::json where position = 31";
    world.log.tamper(actor).await;
    world.log.tamper("update events set recorded_at = recorded_at - interval '1 ms' where position = 32").await;
    let report = audit(&world).await;
    let differences = [30, 31, 32].map(|position| ("difference", Some(position)));
    assert_eq!(rules(&report)[..3], differences);
    assert_eq!(rules(&report)[3..], [("missing_message", Some(1_050))]);
    for (finding, attribute) in report.findings.iter().zip(["data", "actorid", "recordedtime"]) {
        assert!(finding.detail.contains(attribute), "{attribute}: {finding:?}");
    }
    assert_eq!((report.messages, report.events, report.broken), (1_099, 1_100, 4));

    let jetstream = world.broker.jetstream().await;
    jetstream.publish("docket.ticket.x.closed", "hello".into()).await.unwrap().await.unwrap();
    let found = rules(&audit(&world).await);
    assert_eq!(found.last(), Some(&("not_in_log", Some(1_101))), "{found:?}");
    let relay = world.relay();
    relay.until("it halts", |s| matches!(&s.state, State::Halted(halt) if halt.fault == HaltReason::Hole)).await;
    drop(relay);

    world.log.append(3).await;
    let found = rules(&audit(&world).await);
    assert_eq!(found[4..], [("difference", Some(1_101)), ("missing_tail", Some(1_102))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_without_a_broker_fails() {
    let mut world = World::new().await;
    world.broker.stop().await;
    let error = relay::audit(&world.log.store, &world.broker.config(), |_| {}).await.unwrap_err();
    assert!(error.to_string().starts_with("the broker can't be read"), "{error}");
}
