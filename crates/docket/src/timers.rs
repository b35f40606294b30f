//! Timers: what is due in the read model, issued as the desk's commands.

use desk::Desk;
use eventsourcing::timers::Timer;
pub(crate) use eventsourcing::timers::{Status, Timers};
use projections::{Projections, TimersReader};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::private::until_set;
use crate::telemetry::{new_id, now};

/// The timers of this process.
pub(crate) fn over(desk: &Desk, projections: &Projections) -> Timers<TimersReader> {
    Timers::new(desk.store().clone(), projections.reader().timers())
}

/// Issues commands until `stop` becomes true.
pub(crate) async fn run(timers: Timers<TimersReader>, desk: Desk, stop: watch::Receiver<bool>) {
    let fire = move |timer: Timer| {
        let desk = desk.clone();
        async move { desk.fire_timer(&timer, now(), new_id).await }
    };
    timers.run(fire, until_set(stop)).await;
}

/// What readiness says of them. Only the leader knows what waits.
pub(crate) fn json(status: &Status) -> Value {
    if !status.leads {
        return json!({"state": "standby"});
    }
    let backlog = &status.backlog;
    json!({
        "state": "leading", "held_back": backlog.held_back, "overdue": backlog.overdue,
        "lateness_seconds": backlog.lateness.as_secs_f64(),
    })
}
