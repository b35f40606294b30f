//! The timers of one process, over a model in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::DateTime;
use eventsourcing::timers::{Backlog, DueTimers, DueTimes, Outcome, Timer, Timers};
use eventstore::{Position, StoreError, StreamId, StreamType, Version};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::accounts::{Process, database};

/// Due timers, as a read model would have them.
#[derive(Clone, Default)]
struct Model(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    due: Vec<Timer>,
    position: Position,
    held_back: Vec<(StreamId, String)>,
    released: Vec<StreamId>,
}

impl Model {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap())
    }
}

impl DueTimes for Model {
    async fn due(&self, limit: usize) -> Result<DueTimers, StoreError> {
        Ok(self.with(|state| {
            let free = |timer: &&Timer| !state.held_back.iter().any(|(stream, _)| *stream == timer.stream);
            let timers = state.due.iter().filter(free).take(limit).cloned().collect();
            DueTimers { timers, position: state.position, next_in: Some(Duration::from_millis(20)) }
        }))
    }

    async fn hold_back(&self, timer: &Timer, outcome: &'static str, _: &str, _: Duration) -> Result<(), StoreError> {
        self.with(|state| state.held_back.push((timer.stream, outcome.to_owned())));
        Ok(())
    }

    async fn release(&self, timer: &Timer) -> Result<(), StoreError> {
        self.with(|state| state.released.push(timer.stream));
        Ok(())
    }

    async fn remove_stale(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        Ok(Backlog::default())
    }
}

fn stream(n: u128) -> StreamId {
    StreamId(Uuid::from_u128(n))
}

fn timer(n: u128) -> Timer {
    let (stream_type, kind) = (StreamType::from_static("account"), "close".to_owned());
    Timer { due_at: DateTime::UNIX_EPOCH, stream: stream(n), stream_type, set_by: Version(1), kind, attempts: 0 }
}

/// Runs the timers, and counts how often each is issued.
struct Running {
    issued: Arc<Mutex<HashMap<StreamId, usize>>>,
    _tasks: JoinSet<()>,
}

impl Running {
    fn start(
        process: &Process,
        model: &Model,
        answer: impl Fn(&Timer) -> Outcome + Clone + Send + Sync + 'static,
    ) -> Self {
        let timers = Timers::new(process.store.clone(), model.clone());
        let issued = Arc::new(Mutex::new(HashMap::new()));
        let counted = issued.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let fire = move |timer: Timer| {
                *counted.lock().unwrap().entry(timer.stream).or_default() += 1;
                let answer = answer.clone();
                async move { answer(&timer) }
            };
            timers.run(fire, std::future::pending()).await;
        });
        Self { issued, _tasks: tasks }
    }

    fn issued(&self, n: u128) -> usize {
        self.issued.lock().unwrap().get(&stream(n)).copied().unwrap_or_default()
    }
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect(what);
}

#[tokio::test]
async fn timer_is_issued_once_until_the_model_has_passed_the_answer() {
    let database = database().await;
    let process = Process::on(&database).await;
    let model = Model::default();
    model.with(|state| state.due = vec![timer(1)]);
    let running = Running::start(&process, &model, |_| Outcome::Fired { position: Position(9) });
    until("it is issued", || running.issued(1) == 1).await;
    // another one that is looked for later shows that the first was looked at again
    model.with(|state| state.due.push(timer(2)));
    until("the second is issued", || running.issued(2) == 1).await;
    model.with(|state| (state.position, state.due) = (Position(8), vec![timer(1), timer(2), timer(3)]));
    until("the third is issued", || running.issued(3) == 1).await;
    assert_eq!((running.issued(1), running.issued(2)), (1, 1));
    // the model has passed the answer and has the timer all the same: something is wrong with it
    model.with(|state| (state.position, state.due) = (Position(9), vec![timer(1)]));
    until("it is held back", || model.with(|state| state.held_back == [(stream(1), "failed".to_owned())])).await;
    assert_eq!(running.issued(1), 1);
}

#[tokio::test]
async fn refused_and_failing_timers_delay_no_other() {
    let database = database().await;
    let process = Process::on(&database).await;
    let model = Model::default();
    // more than run at once, all before the one that is fine
    model.with(|state| state.due = (0..101).map(timer).collect());
    let running = Running::start(&process, &model, |timer| {
        assert!(timer.stream != stream(0), "a fault of the program");
        if timer.stream == stream(100) {
            return Outcome::Superseded { position: Position(1) };
        }
        Outcome::Refused { reason: "never".to_owned() }
    });
    until("all are issued", || running.issued(100) == 1).await;
    until("the others are held back", || model.with(|state| state.held_back.len() == 100)).await;
    let (failed, refused): (Vec<_>, Vec<_>) =
        model.with(|state| state.held_back.drain(..).partition(|(_, outcome)| outcome == "failed"));
    assert_eq!((failed, refused.len()), (vec![(stream(0), "failed".to_owned())], 99));
}

#[tokio::test]
async fn unavailable_database_holds_back_no_timer() {
    let database = database().await;
    let process = Process::on(&database).await;
    let model = Model::default();
    let retried = Timer { attempts: 3, ..timer(1) };
    model.with(|state| state.due = vec![retried]);
    let tries = Arc::new(Mutex::new(0));
    let running = Running::start(&process, &model, move |_| {
        let mut tries = tries.lock().unwrap();
        *tries += 1;
        if *tries < 4 {
            return Outcome::Unavailable { reason: "it is away".to_owned() };
        }
        Outcome::Fired { position: Position(1) }
    });
    until("it is issued again and again", || running.issued(1) == 4).await;
    until("it is released", || model.with(|state| state.released == [stream(1)])).await;
    assert!(model.with(|state| state.held_back.is_empty()));
}
