//! The log's table as a bench finds it, and the yardstick: plain single-row inserts into it.

use std::time::Duration;

use anyhow::Result;
use devstack::Postgres;
use sqlx::PgPool;

use crate::{STREAMS, pgbench};

/// 800 MB of write-ahead log, so that there are segments to be used again, as on a server that has run for a while: a fresh
/// one makes each of them anew, which stops all writers for 50 to 100 ms.
const AGED: &str =
    "select pg_logical_emit_message(false, 'bench', repeat('x', 8000000)) from generate_series(1, 100); checkpoint";

/// A database with the log's schema, empty, on a server that has written before.
///
/// # Errors
/// The database's.
pub async fn prepare(postgres: &Postgres, database: &str) -> Result<PgPool> {
    postgres.ensure_database(database).await?;
    let pool = PgPool::connect(&postgres.url(database)).await?;
    eventstore::migrate(&pool).await?;
    sqlx::query("create sequence if not exists pgbench_position").execute(&pool).await?;
    sqlx::raw_sql(AGED).execute(&pool).await?;
    Ok(pool)
}

/// Empties the log, so that no cell of a table pays for another's rows.
///
/// # Errors
/// The database's.
pub async fn empty(pool: &PgPool) -> Result<()> {
    sqlx::raw_sql(
        "alter table events disable trigger all; truncate events;
         alter table events enable always trigger events_refuse_change;
         alter table events enable always trigger events_refuse_truncate;
         alter sequence pgbench_position restart; checkpoint",
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// An event's payload of about 300 bytes.
#[must_use]
pub fn payload() -> String {
    format!(r#"{{"message_id":"0195c9a0-0000-7000-8000-000000000000","body":"{}"}}"#, "x".repeat(230))
}

/// The yardstick: transactions a second that insert one row each, into the log's own table, with nothing checked.
///
/// # Errors
/// If pgbench is not installed, or fails.
pub fn single_row_inserts(postgres: &Postgres, database: &str, clients: usize, time: Duration) -> Result<f64> {
    let script = format!(
        "\\set s random(1, {STREAMS})\n\
         insert into events select p, lpad(:s::text, 32, '0')::uuid, 'ticket', p, 'ticket.public_reply_added', 1, \
         '{}', '{{\"command_id\":\"0195c9a0-0000-7000-8000-000000000000\"}}', now(), now() \
         from nextval('pgbench_position') p;\n",
        payload()
    );
    pgbench(postgres, database, &script, &[], clients, time)
}
