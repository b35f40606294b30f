//! How the processes that share a log wake each other's tailers, over `LISTEN` and `NOTIFY`.
//!
//! A lost notification costs latency, never an event: a tailer also looks by itself.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::watch;

use crate::Position;

const CHANNEL: &str = "eventstore";
/// The shortest interval between two looks for a burst of events, and between two notifications. A look for each batch of the
/// appender would cost more than the events.
pub(crate) const MIN_POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Notifies other processes of the positions that are reached. It does so outside of the appending transactions, because
/// `NOTIFY` within them makes commits wait for each other, and coalesces: all batches of one interval are one notification.
pub(crate) async fn notify(pool: PgPool, mut reached: watch::Receiver<Position>) {
    while reached.changed().await.is_ok() {
        let position = reached.borrow_and_update().to_string();
        let sent = sqlx::query("select pg_notify($1, $2)").bind(CHANNEL).bind(position).execute(&pool).await;
        if let Err(error) = sent {
            tracing::debug!(%error, "other processes were not notified");
        }
        tokio::time::sleep(MIN_POLL_INTERVAL).await;
    }
}

/// A listener for the notifications of all processes; `None` where the database gives none.
pub(crate) async fn listen(pool: &PgPool) -> Option<PgListener> {
    let mut listener = PgListener::connect_with(pool).await.ok()?;
    listener.listen(CHANNEL).await.ok()?;
    Some(listener)
}

/// Returns when a process has announced a position beyond the tail. A process hears its own notifications, too.
pub(crate) async fn wait_beyond(listener: &mut PgListener, tail: Position) -> Result<(), sqlx::Error> {
    loop {
        let notification = listener.recv().await?;
        if notification.payload().parse().map_or(true, |position: i64| position > tail.0) {
            return Ok(());
        }
    }
}
