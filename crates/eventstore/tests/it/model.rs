//! The log as one would write it down on paper, and random units held against it: one after the other, and all at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use eventstore::{
    Alias, Append, AppendError, CommandId, EventStore, Expected, Metadata, NewEvent, Options, Outcome, Position,
    Receipt, ReceiptKey, RecordedEvent, StreamId, StreamType, Unit, Version,
};
use futures_util::TryStreamExt;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use crate::world::{World, append, at, event, stream};

#[derive(Clone, Debug, PartialEq)]
enum Answer {
    Appended {
        first: Option<Position>,
        last: Option<Position>,
        versions: Vec<(StreamId, Version)>,
    },
    Replayed(Receipt),
    Conflict(StreamId, Version),
    /// Of several aliases that are taken, any may be told.
    Taken(BTreeSet<StreamId>),
    /// Of several aliases that are not held, any may be told.
    NotHeld(BTreeSet<Option<StreamId>>),
    Mismatch(StreamId),
    Backwards,
    Malformed,
}

impl Answer {
    fn of(answer: Result<Outcome, AppendError>) -> Self {
        match answer {
            Ok(Outcome::Appended(a)) => Self::Appended { first: a.first, last: a.last, versions: a.versions },
            Ok(Outcome::Replayed(receipt)) => Self::Replayed(receipt),
            Err(AppendError::Conflict { stream_id, current }) => Self::Conflict(stream_id, current),
            Err(AppendError::AliasTaken { holder, .. }) => Self::Taken([holder].into()),
            Err(AppendError::AliasNotHeld { holder, .. }) => Self::NotHeld([holder].into()),
            Err(AppendError::StreamTypeMismatch { stream_id, .. }) => Self::Mismatch(stream_id),
            Err(AppendError::TimeRunsBackwards) => Self::Backwards,
            Err(AppendError::Malformed(_)) => Self::Malformed,
            Err(error) => panic!("{error:?}"),
        }
    }

    fn agrees_with(&self, expected: &Self) -> bool {
        match (self, expected) {
            (Self::Taken(told), Self::Taken(taken)) => told.is_subset(taken),
            (Self::NotHeld(told), Self::NotHeld(unheld)) => told.is_subset(unheld),
            _ => self == expected,
        }
    }
}

/// Stream, version, payload and time of every event, in order; and what names and keys have done.
#[derive(Clone, Debug, Default)]
struct Model {
    before: i64,
    log: Vec<(StreamId, Version, String, i64)>,
    receipts: BTreeMap<String, Receipt>,
    aliases: BTreeMap<String, StreamId>,
    types: BTreeMap<StreamId, StreamType>,
}

impl Model {
    fn last(&self, id: StreamId) -> Option<(Position, Version, i64)> {
        let index = self.log.iter().rposition(|(stream, ..)| *stream == id)?;
        let (_, version, _, time) = &self.log[index];
        Some((Position(self.before + i64::try_from(index).unwrap() + 1), *version, *time))
    }

    fn refusal(&self, unit: &Unit) -> Option<Answer> {
        let times = |append: &Append| append.events.iter().map(|e| e.occurred_at.timestamp()).collect::<Vec<_>>();
        let streams: BTreeSet<StreamId> = unit.appends.iter().map(|a| a.stream_id).collect();
        let distinct = |aliases: &[Alias]| aliases.iter().map(|a| a.name.clone()).collect::<BTreeSet<_>>().len();
        let demanded: BTreeSet<StreamId> = unit.demands.iter().map(|demand| demand.stream_id).collect();
        let silent = |append: &Append| append.events.is_empty();
        let records_nothing = unit.appends.iter().all(silent);
        let nothing = unit.receipt.is_none() && records_nothing;
        let says_nothing = |id| unit.appends.iter().any(|append| append.stream_id == id && silent(append));
        if unit.appends.is_empty()
            || nothing
            || unit.appends.iter().skip(1).any(silent)
            || streams.len() < unit.appends.len()
            || demanded.len() < unit.demands.len()
            || !demanded.is_disjoint(&streams)
            || distinct(&unit.takes) < unit.takes.len()
            || distinct(&unit.releases) < unit.releases.len()
            || unit.takes.iter().any(|alias| !streams.contains(&alias.stream_id) || says_nothing(alias.stream_id))
            || (records_nothing && !unit.releases.is_empty())
            || unit.appends.iter().any(|append| !times(append).is_sorted())
        {
            return Some(Answer::Malformed);
        }
        if let Some(receipt) = unit.receipt.as_ref().and_then(|receipt| self.receipts.get(&receipt.key)) {
            return Some(Answer::Replayed(receipt.clone()));
        }
        let types: BTreeSet<_> = unit
            .appends
            .iter()
            .filter(|a| self.types.get(&a.stream_id).is_some_and(|t| *t != a.stream_type))
            .map(|a| a.stream_id)
            .collect();
        if let Some(first) = unit.appends.iter().find(|a| types.contains(&a.stream_id)) {
            return Some(Answer::Mismatch(first.stream_id));
        }
        let version = |id| self.last(id).map_or(Version(0), |(_, version, _)| version);
        for append in &unit.appends {
            let current = version(append.stream_id);
            if matches!(append.expected, Expected::Exact(expected) if expected != current) {
                return Some(Answer::Conflict(append.stream_id, current));
            }
        }
        for demand in &unit.demands {
            let current = version(demand.stream_id);
            if demand.version != current {
                return Some(Answer::Conflict(demand.stream_id, current));
            }
        }
        let holder = |alias: &Alias| self.aliases.get(&alias.name).copied();
        let unheld: BTreeSet<_> = unit.releases.iter().filter(|a| holder(a) != Some(a.stream_id)).map(holder).collect();
        if !unheld.is_empty() {
            return Some(Answer::NotHeld(unheld));
        }
        let released: BTreeSet<&str> = unit.releases.iter().map(|alias| alias.name.as_str()).collect();
        let free = |alias: &&Alias| !released.contains(alias.name.as_str());
        let taken: BTreeSet<_> = unit.takes.iter().filter(free).filter_map(holder).collect();
        if !taken.is_empty() {
            return Some(Answer::Taken(taken));
        }
        let late = |append: &Append| {
            let last = self.last(append.stream_id).map(|(.., time)| time);
            last.is_some_and(|last| times(append).first().is_some_and(|first| *first < last))
        };
        unit.appends.iter().any(late).then_some(Answer::Backwards)
    }

    fn apply(&mut self, unit: &Unit) -> Answer {
        if let Some(refusal) = self.refusal(unit) {
            return refusal;
        }
        let head = |model: &Self| model.before + i64::try_from(model.log.len()).unwrap();
        let before = head(self);
        let mut versions = Vec::new();
        for append in &unit.appends {
            let mut version = self.last(append.stream_id).map_or(Version(0), |(_, version, _)| version);
            for event in &append.events {
                version = version.next();
                let time = event.occurred_at.timestamp();
                self.log.push((append.stream_id, version, event.payload.clone(), time));
            }
            versions.push((append.stream_id, version));
            if !append.events.is_empty() {
                self.types.insert(append.stream_id, append.stream_type);
            }
        }
        for released in &unit.releases {
            self.aliases.remove(&released.name);
        }
        self.aliases.extend(unit.takes.iter().map(|alias| (alias.name.clone(), alias.stream_id)));
        // a key is remembered by an event of the unit's own stream
        if let (Some(key), Some((position, version, _))) = (&unit.receipt, self.last(unit.appends[0].stream_id)) {
            let (fingerprint, stream_id) = (key.fingerprint.clone(), unit.appends[0].stream_id);
            let receipt = Receipt { fingerprint, stream_id, version, position, status: key.status };
            self.receipts.insert(key.key.clone(), receipt);
        }
        let some = head(self) > before;
        let (first, last) = (some.then_some(Position(before + 1)), some.then_some(Position(head(self))));
        Answer::Appended { first, last, versions }
    }

    fn holds(&self, log: &[RecordedEvent]) {
        let seen = log.iter().map(|e| (e.stream_id, e.version, e.payload.clone(), e.occurred_at.timestamp()));
        assert_eq!(seen.collect::<Vec<_>>(), self.log);
        let positions = (self.before + 1..).map(Position);
        assert!(log.iter().zip(positions).all(|(event, position)| event.position == position), "a gap");
        assert!(log.is_sorted_by_key(|event| event.recorded_at));
    }
}

/// A unit in small numbers, from which units of different cases are made that have nothing in common.
#[derive(Clone, Debug)]
struct Plan {
    appends: Vec<PlannedAppend>,
    demands: Vec<(u8, i64)>,
    receipt: Option<u8>,
    takes: Vec<(u8, u8)>,
    releases: Vec<(u8, u8)>,
    /// Whether it is another process that appends it.
    elsewhere: bool,
}

/// Stream, expected version, times of the events, and whether the stream's type is another than its usual one.
type PlannedAppend = (u8, Option<i64>, Vec<i64>, bool);

fn plans(fewest_events: usize) -> impl Strategy<Value = Vec<Plan>> {
    let times = prop_oneof![
        5 => prop::collection::vec(3..4_i64, fewest_events..3),
        1 => prop::collection::vec(0..6_i64, fewest_events..3),
    ];
    let expected = prop_oneof![2 => Just(None), 1 => (0..4_i64).prop_map(Some)];
    let append = (0..4_u8, expected, times, prop::bool::weighted(0.05));
    let appends = prop_oneof![
        6 => prop::collection::vec(append.clone(), 1..2),
        2 => prop::collection::vec(append, fewest_events.min(1)..4),
    ];
    let demands = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec((0..5_u8, 0..4_i64), 1..3)];
    let takes = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec((0..5_u8, 0..4_u8), 1..3)];
    let releases = prop_oneof![6 => Just(Vec::new()), 1 => prop::collection::vec((0..5_u8, 0..4_u8), 1..3)];
    let receipt = prop::option::weighted(0.4, 0..5_u8);
    let plan = (appends, demands, receipt, takes, releases, prop::bool::weighted(0.2));
    let plan = plan.prop_map(|(appends, demands, receipt, takes, releases, elsewhere)| Plan {
        appends,
        demands,
        receipt,
        takes,
        releases,
        elsewhere,
    });
    prop::collection::vec(plan, 1..24)
}

fn unit(plan: &Plan, case: u64, number: usize) -> Unit {
    let id = |n: u8| stream(u128::from(case) << 32 | u128::from(n));
    let new = |second| NewEvent { occurred_at: at(second), ..event(&format!("{{\"unit\": {number}}}")) };
    let command_id = CommandId(Uuid::from_u128(u128::from(case) << 32 | number as u128));
    let mut unit = Unit::new(Metadata::new(command_id));
    for (n, expected, times, mistyped) in &plan.appends {
        let expected = expected.map_or(Expected::Any, |version| Expected::Exact(Version(version)));
        let append = append(id(*n), expected, times.iter().copied().map(new).collect());
        unit = unit.append(if *mistyped { other_type(append) } else { append });
    }
    for (n, version) in &plan.demands {
        unit = unit.demand(id(*n), Version(*version));
    }
    if let Some(key) = plan.receipt {
        unit = unit.receipt(ReceiptKey::new("me", format!("{case}-{key}"), vec![u8::try_from(number).unwrap()], 200));
    }
    for (name, n) in &plan.takes {
        unit = unit.take_alias("name", format!("{case}-{name}"), id(*n));
    }
    for (name, n) in &plan.releases {
        unit = unit.release_alias("name", format!("{case}-{name}"), id(*n));
    }
    unit
}

fn other_type(append: Append) -> Append {
    let events = append.events.into_iter().map(|e| NewEvent { event_type: "other.happened".into(), ..e }).collect();
    Append::new(StreamType::from_static("other"), append.stream_id, append.expected, events)
}

/// Every case on the same database, with streams, keys and names of its own; each unit by one of two stores.
fn every_case(fewest_events: usize, try_one: &impl AsyncFn(&World, Vec<(EventStore, Unit)>, Model)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (world, other) = runtime.block_on(async {
        let world = World::new().await;
        let other = EventStore::open(world.pool.clone(), Options::default());
        (world, other)
    });
    let config = ProptestConfig { cases: 40, failure_persistence: None, max_shrink_iters: 200, ..Default::default() };
    let case = AtomicU64::new(0);
    let outcome = TestRunner::new(config).run(&plans(fewest_events), |plans| {
        let case = case.fetch_add(1, Ordering::Relaxed);
        let store = |plan: &Plan| if plan.elsewhere { other.clone() } else { world.store.clone() };
        let units = plans.iter().enumerate().map(|(number, plan)| (store(plan), unit(plan, case, number))).collect();
        runtime.block_on(async {
            let before = world.store.head().await.unwrap().0;
            try_one(&world, units, Model { before, ..Model::default() }).await;
        });
        Ok(())
    });
    outcome.unwrap();
    drop(runtime);
}

async fn since(world: &World, model: &Model) -> Vec<RecordedEvent> {
    world.store.read_log(Position(model.before)).try_collect().await.unwrap()
}

#[test]
fn sequential_units_agree_with_the_model() {
    every_case(0, &async |world, units, mut model| {
        for (store, unit) in units {
            let expected = model.apply(&unit);
            let answer = Answer::of(store.append(unit.clone()).await);
            assert!(answer.agrees_with(&expected), "{unit:?}: {answer:?} instead of {expected:?}");
        }
        model.holds(&since(world, &model).await);
        for (key, receipt) in &model.receipts {
            assert_eq!(world.store.receipt("me", key).await.unwrap().as_ref(), Some(receipt));
        }
        for (name, holder) in &model.aliases {
            assert_eq!(world.store.resolve("name", name).await.unwrap(), Some(*holder));
        }
    });
}

/// What was appended was appended in the order of the positions, and what was refused could be refused at some moment
/// between.
#[test]
fn concurrent_units_agree_with_the_model() {
    every_case(1, &async |world, units, mut model| {
        let mut tasks = tokio::task::JoinSet::new();
        for (store, unit) in units {
            tasks.spawn(async move { (Answer::of(store.append(unit.clone()).await), unit) });
        }
        let mut answers = tasks.join_all().await;
        answers.sort_by_key(|(answer, _)| match answer {
            Answer::Appended { first, .. } => first.map_or(0, |first| first.0),
            _ => i64::MAX,
        });
        let mut moments = vec![model.clone()];
        for (answer, unit) in answers {
            if matches!(answer, Answer::Appended { .. }) {
                assert_eq!(model.apply(&unit), answer, "{unit:?}");
                moments.push(model.clone());
            } else {
                let possible = |model: &Model| model.refusal(&unit).is_some_and(|it| answer.agrees_with(&it));
                assert!(moments.iter().any(possible), "{unit:?}: {answer:?} fits no moment of {:?}", model.log);
            }
        }
        model.holds(&since(world, &model).await);
    });
}
