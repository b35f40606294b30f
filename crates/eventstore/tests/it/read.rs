use eventstore::{Expected, NewEvent, Position, StreamRange, Version};
use futures_util::TryStreamExt;

use crate::world::{World, appended, at, event, exact, stream, unit};

#[tokio::test]
async fn stream_range_bounds() {
    let world = World::new().await;
    let events = (1..=5).map(|n| NewEvent { occurred_at: at(n), ..event(&n.to_string()) }).collect();
    appended(world.store.append(unit(1, stream(1), exact(0), events)).await);
    let read = async |range| {
        let events = world.store.read_stream(stream(1), range).await.unwrap();
        events.into_iter().map(|e| e.payload.parse::<i64>().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(read(StreamRange::default()).await, [1, 2, 3, 4, 5]);
    assert_eq!(read(StreamRange::after(Version(3))).await, [4, 5]);
    assert_eq!(read(StreamRange { until_version: Some(Version(2)), ..StreamRange::default() }).await, [1, 2]);
    assert_eq!(read(StreamRange { until_time: Some(at(3)), ..StreamRange::after(Version(1)) }).await, [2, 3]);
    assert!(world.stream(stream(2)).await.is_empty());
}

#[tokio::test]
async fn log_is_read_across_pages() {
    let world = World::new().await;
    for batch in 0..3 {
        let events = (0..1_000).map(|n| event(&(batch * 1_000 + n).to_string())).collect();
        appended(world.store.append(unit(1, stream(1), Expected::Any, events)).await);
    }
    assert_eq!(world.store.head().await.unwrap(), Position(3_000));
    for after in [0, 1, 1_000, 2_999, 3_000, 9_000] {
        let events: Vec<_> = world.store.read_log(Position(after)).try_collect().await.unwrap();
        let expected = (after + 1..=3_000).map(Position).collect::<Vec<_>>();
        assert_eq!(events.iter().map(|e| e.position).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn pages_of_large_events_are_small() {
    let world = World::new().await;
    let large = format!("\"{}\"", "x".repeat(200_000));
    for n in 0..100 {
        // small ones, then large ones, then small ones
        let payload = if (30..70).contains(&n) { large.as_str() } else { "{}" };
        appended(world.store.append(unit(n, stream(n % 2), Expected::Any, vec![event(payload)])).await);
    }
    let pages: Vec<_> = world.store.log_pages(Position(0), 1_000).try_collect().await.unwrap();
    let all = pages.concat().iter().map(|event| event.position.0).collect::<Vec<_>>();
    assert_eq!(all, (1..=100).collect::<Vec<_>>());
    let pages: Vec<_> = world.store.stream_pages(stream(0), StreamRange::default()).try_collect().await.unwrap();
    assert!(pages.iter().all(|page| !page.is_empty()));
    let sizes = pages.iter().skip(1).map(|page| page.iter().map(|event| event.payload.len()).sum::<usize>());
    assert!(sizes.max().unwrap() < 2_000_000, "{:?}", pages.iter().map(Vec::len).collect::<Vec<_>>());
    assert_eq!(pages.concat(), world.stream(stream(0)).await);
}
