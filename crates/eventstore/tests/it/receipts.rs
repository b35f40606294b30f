use std::time::Duration;

use eventstore::{Outcome, Receipt, Unit, Version};

use crate::world::{World, appended, event, exact, receipt, stream, unit};

#[tokio::test]
async fn used_key_is_a_replay() {
    let world = World::new().await;
    let with_key = || unit(1, stream(1), exact(0), vec![event("{}")]).receipt(receipt("k"));
    let first = appended(world.store.append(with_key()).await);
    appended(world.store.append(unit(2, stream(1), exact(1), vec![event("{}")])).await);

    let Ok(Outcome::Replayed(found)) = world.store.append(with_key()).await else { panic!("not a replay") };
    let expected = Receipt {
        fingerprint: vec![1, 2, 3],
        stream_id: stream(1),
        version: Version(1),
        position: first.last.unwrap(),
        status: 201,
    };
    assert_eq!(found, expected);
    assert_eq!(world.store.receipt("me", "k").await.unwrap(), Some(expected));
    assert_eq!(world.store.receipt("you", "k").await.unwrap(), None, "a key belongs to its caller");
    assert_eq!(world.log().await.len(), 2);
}

#[tokio::test]
async fn concurrent_retries_append_once() {
    let world = World::new().await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..64 {
        let store = world.store.clone();
        let mut unit = unit(n, stream(n), exact(0), vec![event("{}")]);
        unit.receipt = Some(receipt("k"));
        tasks.spawn(async move { store.append(unit).await.unwrap() });
    }
    let outcomes = tasks.join_all().await;
    assert_eq!(outcomes.iter().filter(|o| matches!(o, Outcome::Appended(_))).count(), 1);
    assert_eq!(world.log().await.len(), 1);
}

#[tokio::test]
async fn command_without_events_leaves_a_receipt() {
    let world = World::new().await;
    appended(world.store.append(unit(1, stream(1), exact(0), vec![event("{}")])).await);
    let mut nothing = unit(2, stream(1), exact(1), vec![]);
    nothing.receipt = Some(receipt("k"));
    assert_eq!(appended(world.store.append(nothing).await).last, None);
    assert_eq!(world.store.receipt("me", "k").await.unwrap().unwrap().version, Version(1));
    assert_eq!(world.log().await.len(), 1);
}

#[tokio::test]
async fn receipts_are_read_beside_their_events() {
    let world = World::new().await;
    let key = |key, unit: Unit| unit.receipt(receipt(key));
    let refused = key("z", unit(1, stream(1), exact(7), vec![event("{}")]));
    let first = key("b", unit(2, stream(1), exact(0), vec![event("{}"), event("{}")]));
    // in one batch, of which one unit is refused; then one that changes nothing
    let (refused, first) = tokio::join!(world.store.append(refused), world.store.append(first));
    refused.unwrap_err();
    appended(first);
    appended(world.store.append(key("c", unit(3, stream(1), exact(2), vec![]))).await);
    appended(world.store.append(key("a", unit(4, stream(2), exact(0), vec![event("{}")]))).await);
    sqlx::query("update receipts set version = 7 where key = 'a'").execute(&world.pool).await.unwrap();

    let (mut found, mut last) = (Vec::new(), None);
    loop {
        let page = world.store.receipts_after(last.as_ref(), 2).await.unwrap();
        last = page.last().cloned();
        found.extend(page);
        if found.len() % 2 == 1 {
            break;
        }
    }
    let rows: Vec<_> = found
        .iter()
        .map(|found| (found.key.as_str(), found.version.0, found.has_events, found.metadata.is_some()))
        .collect();
    assert_eq!(rows, [("a", 7, true, false), ("b", 2, true, true), ("c", 2, false, true)]);
}

#[tokio::test]
async fn refused_unit_leaves_no_receipt() {
    let world = World::new().await;
    let mut conflict = unit(1, stream(1), exact(7), vec![event("{}")]);
    conflict.receipt = Some(receipt("refused"));
    world.store.append(conflict).await.unwrap_err();
    assert_eq!(world.store.receipt("me", "refused").await.unwrap(), None);

    let mut done = unit(2, stream(1), exact(0), vec![event("{}")]);
    done.receipt = Some(receipt("done"));
    appended(world.store.append(done).await);
    assert_eq!(world.store.expire_receipts(Duration::from_hours(24)).await.unwrap(), 0);
    assert_eq!(world.store.expire_receipts(Duration::ZERO).await.unwrap(), 1);
    assert_eq!(world.store.receipt("me", "done").await.unwrap(), None);
}

#[tokio::test]
async fn permanent_receipts_do_not_expire() {
    let world = World::new().await;
    let keep = unit(1, stream(1), exact(0), vec![event("{}")]).receipt(receipt("keep").permanent());
    appended(world.store.append(keep.clone()).await);
    assert_eq!(world.store.expire_receipts(Duration::ZERO).await.unwrap(), 0);
    let again = world.store.append(keep).await;
    assert!(matches!(again, Ok(Outcome::Replayed(_))), "{again:?}");
}
