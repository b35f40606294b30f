//! Stream types: one stream, one type; readers select by them.

use eventstore::{
    Append, AppendError, EventStore, Expected, LogRange, NewEvent, Options, Position, StreamRange, StreamType,
};
use futures_util::{StreamExt, TryStreamExt};

use crate::world::{THING, World, append, appended, at, event, exact, stream, unit};

const OTHER: StreamType = StreamType::from_static("other");

fn other(id: u128, expected: Expected) -> Append {
    Append::new(OTHER, stream(id), expected, vec![NewEvent::new("other.happened", 1, "{}", at(0))])
}

fn with(command: u128, append: Append) -> eventstore::Unit {
    let mut unit = unit(command, append.stream_id, append.expected, vec![]);
    unit.appends = vec![append];
    unit
}

#[tokio::test]
async fn stream_keeps_its_type() {
    let world = World::new().await;
    let elsewhere = EventStore::open(world.pool.clone(), Options::default());
    appended(world.store.append(unit(1, stream(1), exact(0), vec![event("{}")])).await);
    assert_eq!(world.stream(stream(1)).await[0].stream_type, THING);
    // by the store that remembers the stream, and by one that does not
    for store in [&world.store, &elsewhere] {
        for expected in [Expected::Any, exact(1), exact(0), exact(5)] {
            let answer = store.append(with(2, other(1, expected))).await;
            let Err(AppendError::StreamTypeMismatch { stream_id, stream_type, given }) = answer else {
                panic!("{answer:?}");
            };
            assert_eq!((stream_id, stream_type, given), (stream(1), THING, OTHER));
        }
    }
    // it does not harm its neighbours
    let (bad, good) = tokio::join!(
        world.store.append(with(3, other(1, Expected::Any))),
        world.store.append(with(4, other(2, Expected::Any))),
    );
    assert!(matches!(bad, Err(AppendError::StreamTypeMismatch { .. })), "{bad:?}");
    appended(good);
    assert_eq!(world.log().await.len(), 2);
}

#[tokio::test]
async fn event_type_begins_with_the_stream_type() {
    let world = World::new().await;
    let foreign = Append::new(OTHER, stream(1), Expected::Any, vec![event("{}")]);
    let answer = world.store.append(with(1, foreign)).await;
    assert!(matches!(answer, Err(AppendError::Malformed(_))), "{answer:?}");
}

#[tokio::test]
async fn readers_select_by_type() {
    let world = World::new().await;
    for n in 0..300_u128 {
        let append = if n % 100 == 7 { other(n, exact(0)) } else { append(stream(n), exact(0), vec![event("{}")]) };
        appended(world.store.append(with(n, append)).await);
    }
    let range = |after| LogRange::after(Position(after)).of_types([OTHER]);
    let positions = |events: Vec<eventstore::RecordedEvent>| events.iter().map(|e| e.position.0).collect::<Vec<_>>();
    let read = async |range: LogRange| positions(world.store.read_log(range).try_collect().await.unwrap());
    assert_eq!(read(range(0)).await, [8, 108, 208]);
    assert_eq!(read(range(8)).await, [108, 208]);
    assert_eq!(read(range(208)).await, [0_i64; 0]);
    assert_eq!(read(range(0).of_types([OTHER, THING])).await.len(), 300);
    assert_eq!(read(range(0).of_types([])).await, [0_i64; 0]);

    let mut live = std::pin::pin!(world.store.follow(range(8)));
    assert_eq!(live.next().await.unwrap().last().unwrap().position, Position(208));
    appended(world.store.append(unit(1000, stream(1000), exact(0), vec![event("{}")])).await);
    appended(world.store.append(with(1001, other(1001, exact(0)))).await);
    assert_eq!(live.next().await.unwrap()[0].position, Position(302));

    let of = async |stream_type| {
        let range = StreamRange::default().of_type(stream_type);
        world.store.read_stream(stream(7), range).await.unwrap().len()
    };
    assert_eq!((of(OTHER).await, of(THING).await), (1, 0));
}
