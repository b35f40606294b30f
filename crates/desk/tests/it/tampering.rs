//! What somebody with rights on the database could change beside the events, and the audit must name.

use chrono::TimeDelta;
use shared_kernel::Role;
use shared_kernel::testing::{agent, person, team};
use ticket_aggregate::TicketId;

use crate::cast::{ada, email, lea, note, rita, root, tag};
use crate::keys::{create, of_agent};
use crate::query::now;
use crate::setup::register_person;
use crate::world::{World, eventually, since_setup};

/// Rule, position and detail of each finding.
async fn findings(world: &World) -> Vec<(&'static str, Option<i64>, String)> {
    let report = world.verify().await;
    report.findings.into_iter().map(|found| (found.rule, found.position.map(since_setup), found.detail)).collect()
}

async fn rules(world: &World) -> Vec<&'static str> {
    findings(world).await.into_iter().map(|(rule, _, _)| rule).collect()
}

/// A ticket at version 101, of which a snapshot has been kept.
async fn long_ticket(world: &World) -> TicketId {
    let ticket = world.open().await;
    world.when_all(ada(), ticket, vec![note("n"); 100]).ok().await;
    eventually("a snapshot is kept", async || {
        let count = "select count(*) from snapshots where stream_id = $1";
        let count: i64 = sqlx::query_scalar(count).bind(ticket.0).fetch_one(&world.owner).await.unwrap();
        (count == 1).then_some(())
    })
    .await;
    ticket
}

#[tokio::test]
async fn falsified_actor_is_found() {
    let world = World::new().await;
    let ticket = world.open().await;
    let falsify = [
        "metadata::jsonb - 'actor'".to_owned(),
        "jsonb_set(metadata::jsonb, '{actor}', 'null')".to_owned(),
        "jsonb_set(metadata::jsonb, '{actor,id}', '\"ada\"')".to_owned(),
        format!("jsonb_set(metadata::jsonb, '{{actor,id}}', '\"{}\"')", agent("ada").0.simple()),
        "jsonb_set(metadata::jsonb, '{actor,kind}', '\"ghost\"')".to_owned(),
        "metadata::jsonb - 'command_id'".to_owned(),
    ];
    for (number, change) in (2..).zip(&falsify) {
        world.when(ada(), ticket, note("n")).ok().await;
        world.tamper(&format!("update events set metadata = ({change})::json where position = #{number}")).await;
    }
    let found: Vec<_> = findings(&world).await.into_iter().map(|(rule, position, _)| (rule, position)).collect();
    assert_eq!(found, [2, 3, 4, 5, 6, 7].map(|position| ("unreadable_metadata", Some(position))));
}

#[tokio::test]
async fn falsified_snapshot_is_found() {
    let world = World::new().await;
    let ticket = long_ticket(&world).await;
    assert_eq!(findings(&world).await, []);
    let falsify = [
        ("state = replace(state::text, 'printer', 'mouse')::json", "fold"),
        ("state = replace(state::text, '\"status\":\"new\"', '\"status\":\"closed\"')::json", "fold"),
        ("state = jsonb_set(state::jsonb, '{position}', '7')::json", "position"),
        ("state = jsonb_set(state::jsonb, '{occurred_at}', '\"2020-01-01T00:00:00Z\"')::json", "time"),
        ("state = jsonb_set(state::jsonb, '{stream}', '\"00000000-0000-0000-0000-000000000001\"')::json", "stream"),
        ("state = '{}'", "read"),
    ];
    let kept: String = sqlx::query_scalar("select state::text from snapshots").fetch_one(&world.owner).await.unwrap();
    for (change, word) in falsify {
        world.tamper(&format!("update snapshots set {change}")).await;
        let found = findings(&world).await;
        assert_eq!((found.len(), found[0].0, found[0].1), (1, "snapshot_differs", Some(101)), "{change}");
        assert!(found[0].2.contains(word), "{change}: {found:?}");
        sqlx::query("update snapshots set state = $1::json").bind(&kept).execute(&world.owner).await.unwrap();
    }
    assert_eq!(findings(&world).await, []);
    assert_eq!(now(&world.another().await, &lea(), ticket).await.unwrap().version, 101);
}

/// Each of them would be read as a record without events.
#[tokio::test]
async fn invented_snapshot_is_found() {
    let world = World::new().await;
    long_ticket(&world).await;
    let nobody = "00000000-0000-0000-0000-00000000000f";
    let invent = [
        "update snapshots set version = 500".to_owned(),
        format!("update snapshots set version = 101, stream_id = '{nobody}'"),
        "update snapshots set stream_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'".to_owned(),
    ];
    for sql in invent {
        world.tamper(&sql).await;
        let found = findings(&world).await;
        assert_eq!((found.len(), found[0].0), (1, "snapshot_differs"), "{sql}");
        assert!(found[0].2.contains("no such event"), "{found:?}");
    }
}

#[tokio::test]
async fn snapshot_of_other_schema_is_no_finding() {
    let world = World::new().await;
    long_ticket(&world).await;
    world.tamper("update snapshots set schema_version = schema_version + 1, state = '{}'").await;
    assert_eq!(findings(&world).await, []);
}

#[tokio::test]
async fn repointed_receipt_is_found() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, note("hers")).key("k", "f").ok().await;
    world.when(lea(), ticket, note("another's")).ok().await;
    // it changes nothing, and finds what somebody else recorded
    world.when(lea(), ticket, tag("vip")).ok().await;
    world.when(ada(), ticket, tag("vip")).key("no effect", "f").ok().await;
    assert_eq!(findings(&world).await, []);

    let of = |caller: String| format!("update receipts set caller = '{caller}' where key = 'k'");
    let repoint = [
        "update receipts set version = 3, position = #3 where key = 'k'".to_owned(),
        of(format!("agent:{}", agent("lea"))),
        of(format!("person:{}", agent("ada"))),
        of(agent("ada").to_string()),
        of("system:timers".to_owned()),
    ];
    let right =
        format!("update receipts set version = 2, position = #2, caller = 'agent:{}' where key = 'k'", agent("ada"));
    for sql in repoint {
        world.tamper(&sql).await;
        assert_eq!(rules(&world).await, ["receipt_of_another"], "{sql}");
        world.tamper(&right).await;
    }
    world.tamper("update receipts set position = #3 where key = 'k'").await;
    assert_eq!(rules(&world).await, ["receipt_without_event"]);
}

#[tokio::test]
async fn missing_alias_is_found() {
    let world = World::new().await;
    let (_, mail) = (world.open().await, world.opening(lea(), |open| open.source_id = Some("mail-1".into())));
    mail.await.ok().await;
    let of_rita = |open: &mut ticket_aggregate::Open| open.source_id = Some("x".into());
    world.opening(rita(), of_rita).await.ok().await;
    assert_eq!(findings(&world).await, []);
    let aliases = [
        "scope = 'ticket-number' and name = '1'",
        "scope = 'source:api'",
        "scope like 'requester-source:%'",
        "scope = 'person-email' and name = 'rita@example.com'",
        "scope = 'agent-handle' and name = 'ada'",
        "scope = 'team-handle' and name = 'hardware'",
    ];
    for (number, alias) in (1..).zip(aliases) {
        world.tamper(&format!("delete from aliases where {alias}")).await;
        assert_eq!(rules(&world).await, vec!["alias_missing"; number], "{alias}");
    }
}

#[tokio::test]
async fn repointed_alias_is_found() {
    let world = World::new().await;
    let (one, other) = (world.open().await, world.open().await);
    world.tamper(&format!("update aliases set stream_id = '{other}' where name = '1'")).await;
    let mut found = rules(&world).await;
    found.sort_unstable();
    // where it is gone, and where it came to
    assert_eq!(found, ["alias_repointed", "alias_unexpected"]);
    let report = world.verify().await;
    let of = |rule| report.findings.iter().find(|found| found.rule == rule).unwrap();
    assert_eq!(of("alias_repointed").stream, Some(eventstore::StreamId(one.0)));
    assert!(of("alias_repointed").detail.contains(&other.to_string()));
    assert_eq!(of("alias_unexpected").stream, Some(eventstore::StreamId(other.0)));

    let (rita, finn) = (person("rita"), person("finn"));
    world.tamper(&format!("update aliases set stream_id = '{finn}' where stream_id = '{rita}'")).await;
    assert_eq!(world.verify().await.broken, 4);
}

#[tokio::test]
async fn invented_alias_is_found() {
    let world = World::new().await;
    let ticket = world.open().await;
    let (ada, hardware) = (agent("ada"), team("hardware"));
    for (number, (scope, stream)) in
        (1..).zip([("source:email", ticket.0), ("agent-handle", ada.0), ("team-handle", hardware.0)])
    {
        world.tamper(&format!("insert into aliases values ('{scope}', 'invented', '{stream}')")).await;
        assert_eq!(rules(&world).await, vec!["alias_unexpected"; number], "{scope}");
    }
}

/// A merged person keeps their addresses, and a retired name is held on.
#[tokio::test]
async fn aliases_of_merged_and_changed_people_are_no_findings() {
    use person_aggregate::{Command, IdentityValue, Person};
    let world = World::new().await;
    let add = |name: &str| Command::AddIdentity { value: IdentityValue::Email(email(name)) };
    let remove = Command::RemoveIdentity { identity: shared_kernel::IdentityId(1) };
    let changes = vec![add("rita.2"), remove, add("rita.3")];
    world.desk.change::<Person>(person("rita"), changes, world.call(root())).await.unwrap();
    world.desk.merge_people(person("rita"), person("finn"), world.call(root())).await.unwrap();
    assert_eq!(findings(&world).await, []);
}

#[tokio::test]
async fn falsified_secret_is_found() {
    let world = World::new().await;
    let key = create(&world, of_agent(Role::Agent, "ada"), 0).await;
    world.desk.keys().rotate(&key.id, TimeDelta::hours(1), world.call(root())).await.unwrap();
    assert_eq!(findings(&world).await, []);
    world.tamper("update api_key_secrets set hash = hash || 'x' where created_at = (select min(created_at) from api_key_secrets) and sieve = (select min(sieve) from api_key_secrets)").await;
    assert_eq!(rules(&world).await, ["api_key_secret"]);
    // also where nothing is left of it
    world.tamper("delete from api_key_secrets").await;
    assert_eq!(rules(&world).await, ["api_key_secret"; 2]);
}

/// Whatever is appended while the audit reads is no finding.
#[tokio::test(flavor = "multi_thread")]
async fn audit_is_clean_while_the_log_grows() {
    use person_aggregate::{Command, IdentityValue, Person};
    let world = World::new().await;
    let ticket = world.open().await;
    for n in 0..8 {
        register_person(&world.desk, &format!("person-{n}")).await.unwrap();
    }
    let grow = async {
        for round in 0..12_u32 {
            let changes = (0..8).map(|n| {
                let value = IdentityValue::Email(email(&format!("person-{n}.{round}")));
                let remove = Command::RemoveIdentity { identity: shared_kernel::IdentityId(round + 1) };
                let commands = vec![Command::AddIdentity { value }, remove];
                world.desk.change::<Person>(person(&format!("person-{n}")), commands, world.call(root()))
            });
            for changed in futures_util::future::join_all(changes).await {
                changed.unwrap();
            }
            world
                .opening(lea(), |_| {})
                .await
                .requester(&format!("new-{round}@example.com"))
                .key("k", "f")
                .run()
                .await
                .ok();
            world.when_all(ada(), ticket, vec![note("n"); 60]).ok().await;
        }
    };
    let audit = async {
        let auditor = world.another().await;
        let mut reports = Vec::new();
        for _ in 0..12 {
            reports.push(auditor.verify(|_| {}).await.unwrap());
        }
        reports
    };
    let ((), reports) = tokio::join!(grow, audit);
    for report in reports {
        assert_eq!(report.findings, []);
    }
    assert_eq!(findings(&world).await, []);
}
