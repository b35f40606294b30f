//! Bugs that a fault checker must catch before it is trusted. Compiled only with the feature `planted-bugs`, and inactive until
//! `FAILPOINTS` names one (`planted.blind_append=return`). Not part of the public API.

use sqlx::{AssertSqlSafe, PgConnection, PgPool};

/// Appends whatever version a stream is at.
pub(crate) const BLIND_APPEND: &str = "planted.blind_append";
/// Answers before the commit.
pub(crate) const EARLY_ANSWER: &str = "planted.early_answer";
/// Takes positions from a sequence, without the lock.
pub(crate) const SEQUENCE: &str = "planted.sequence";

pub(crate) fn is(bug: &str) -> bool {
    fail::eval(bug, |_| true).unwrap_or(false)
}

/// [`EARLY_ANSWER`]: the batch becomes a transaction that [`commit`] ends. What a failed one left is rolled back.
pub(crate) async fn begin(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    if is(EARLY_ANSWER) {
        sqlx::raw_sql("rollback; begin").execute(connection).await?;
    }
    Ok(())
}

/// [`EARLY_ANSWER`]: the commit, after the answers.
pub(crate) async fn commit(connection: &mut PgConnection) {
    if is(EARLY_ANSWER) {
        // as one that is left to a later moment (`synchronous_commit = off` leaves it to 0.2 s later)
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        sqlx::raw_sql("commit").execute(connection).await.ok();
    }
}

/// [`SEQUENCE`]: replaces `eventstore_append` by the faulty function. Needs the rights of the schema's owner.
pub async fn install(pool: &PgPool) -> Result<(), sqlx::Error> {
    if !is(SEQUENCE) {
        return Ok(());
    }
    let sequence = "create sequence if not exists planted_positions; grant usage on planted_positions to public;";
    let function = include_str!("planted/eventstore_append_sequence.sql");
    sqlx::raw_sql(AssertSqlSafe(format!("{sequence} {function}"))).execute(pool).await?;
    Ok(())
}
