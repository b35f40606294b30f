//! The standby connection: one per process, however many leaderships the process waits for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection};
use tokio::sync::{Notify, oneshot};

use crate::{EventStore, Options, StoreError, SubscriptionError};

/// How often the connection asks which of the leaderships are free.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How long an answer may take before the connection is replaced.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Who waits for which leadership. A task asks for all of them as long as somebody waits.
#[derive(Debug, Default)]
pub(crate) struct Standby {
    waiting: Mutex<Waiting>,
    joined: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    names: BTreeMap<String, Vec<oneshot::Sender<()>>>,
    is_asked: bool,
}

impl Standby {
    /// Returns when nobody leads under the name; somebody else may be faster to take it.
    pub(crate) async fn wait_until_free(
        self: &Arc<Self>,
        store: &EventStore,
        name: &str,
    ) -> Result<(), SubscriptionError> {
        if store.pool.is_closed() {
            return Err(SubscriptionError::Closed);
        }
        let (free, becomes_free) = oneshot::channel();
        let must_start = {
            let mut waiting = self.waiting();
            waiting.names.entry(name.to_owned()).or_default().push(free);
            !std::mem::replace(&mut waiting.is_asked, true)
        };
        self.joined.notify_one();
        if must_start {
            tokio::spawn(self.clone().ask_while_somebody_waits(store.clone()));
        }
        becomes_free.await.map_err(|_| SubscriptionError::Closed)
    }

    async fn ask_while_somebody_waits(self: Arc<Self>, store: EventStore) {
        let mut connection = None;
        while let Some(names) = self.names(store.pool.is_closed()) {
            match tokio::time::timeout(ANSWER_WITHIN, free_names(&store, &mut connection, &names)).await {
                Ok(Ok(free)) => self.wake(&free),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "can't ask for leaderships; trying again");
                    connection = None;
                }
                Err(_) => {
                    tracing::warn!("the database does not say which leaderships are free; trying again");
                    connection = None;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(ASK_EVERY) => {}
                () = self.joined.notified() => {}
                () = store.pool.close_event() => {}
            }
        }
    }

    /// What somebody still waits for; `None`: nothing, and the task ends.
    fn names(&self, is_closed: bool) -> Option<Vec<String>> {
        let mut waiting = self.waiting();
        if is_closed {
            waiting.names.clear();
        }
        waiting.names.retain(|_, waiters| {
            waiters.retain(|waiter| !waiter.is_closed());
            !waiters.is_empty()
        });
        waiting.is_asked = !waiting.names.is_empty();
        waiting.is_asked.then(|| waiting.names.keys().cloned().collect())
    }

    fn wake(&self, free: &[String]) {
        let mut waiting = self.waiting();
        for waiter in free.iter().filter_map(|name| waiting.names.remove(name)).flatten() {
            // an error: it waits no more
            waiter.send(()).ok();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn free_names(
    store: &EventStore,
    connection: &mut Option<PgConnection>,
    names: &[String],
) -> Result<Vec<String>, StoreError> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(connect(store, store.appender.options()).await?),
    };
    // the locks end with the statement
    let sql = "select name from unnest($1::text[]) name where pg_try_advisory_xact_lock(hashtextextended('lead ' || name, 0))";
    Ok(sqlx::query_scalar(sql).bind(names).fetch_all(connection).await?)
}

async fn connect(store: &EventStore, options: &Options) -> Result<PgConnection, StoreError> {
    let mut connection = PgConnection::connect_with(&store.pool.connect_options()).await?;
    connection.execute(sqlx::AssertSqlSafe(options.session_sql())).await?;
    Ok(connection)
}
