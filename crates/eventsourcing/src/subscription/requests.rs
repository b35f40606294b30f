//! Operators' requests to the leader of a subscription: rows that it answers.

use eventstore::{StoreError, StreamId};
use sqlx::{PgExecutor, Row};

/// What to do with a parked stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Try again, from the event at which it stopped.
    Retry,
    /// Skip that event, and continue after it.
    Skip {
        /// Why; recorded with the skip.
        reason: String,
    },
}

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the stream is no longer parked.
    pub healed: bool,
    /// The outcome in words.
    pub text: String,
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) id: i64,
    pub(super) stream: StreamId,
    pub(super) action: Action,
    pub(super) by: String,
}

/// Asks the leader of a subscription for a repair of a parked stream, and returns the number of the request.
///
/// # Errors
/// Faults of the database.
pub async fn ask(
    executor: impl PgExecutor<'_>,
    subscription: &str,
    stream: StreamId,
    action: &Action,
    by: &str,
) -> Result<i64, StoreError> {
    let (action, reason) = match action {
        Action::Retry => ("retry", None),
        Action::Skip { reason } => ("skip", Some(reason)),
    };
    let id = sqlx::query_scalar(
        // old requests are in the program's log, and skips in `subscriptions.skips`
        "with old as (delete from subscriptions.requests where requested_at < now() - interval '30 days')
         insert into subscriptions.requests (subscription, action, stream_id, reason, requested_by, requested_at)
         values ($1, $2, $3, $4, $5, now()) returning id",
    )
    .bind(subscription)
    .bind(action)
    .bind(stream.0)
    .bind(reason)
    .bind(by)
    .fetch_one(executor)
    .await?;
    Ok(id)
}

/// Unanswered requests, oldest first. One that nobody waits for any more is not carried out late.
pub(super) async fn waiting(executor: impl PgExecutor<'_>, subscription: &str) -> Result<Vec<Request>, StoreError> {
    let rows = sqlx::query(
        "select id, stream_id, action, reason, requested_by from subscriptions.requests
          where subscription = $1 and done_at is null and requested_at > now() - interval '1 minute' order by id",
    )
    .bind(subscription)
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| {
            let reason: Option<String> = row.try_get(3)?;
            let action = match row.try_get(2)? {
                "skip" => Action::Skip { reason: reason.unwrap_or_default() },
                _ => Action::Retry,
            };
            Ok(Request { id: row.try_get(0)?, stream: StreamId(row.try_get(1)?), action, by: row.try_get(4)? })
        })
        .collect()
}

pub(super) async fn answer(executor: impl PgExecutor<'_>, id: i64, outcome: &Outcome) -> Result<(), StoreError> {
    sqlx::query("update subscriptions.requests set done_at = now(), healed = $2, outcome = $3 where id = $1")
        .bind(id)
        .bind(outcome.healed)
        .bind(&outcome.text)
        .execute(executor)
        .await?;
    Ok(())
}

/// The answer to a request, once there is one.
///
/// # Errors
/// Faults of the database.
pub async fn outcome(executor: impl PgExecutor<'_>, id: i64) -> Result<Option<Outcome>, StoreError> {
    let row = sqlx::query("select healed, outcome from subscriptions.requests where id = $1 and done_at is not null")
        .bind(id)
        .fetch_optional(executor)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Outcome { healed: row.try_get(0)?, text: row.try_get(1)? }))
}
