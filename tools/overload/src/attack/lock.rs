use std::time::Duration;

use anyhow::Result;
use sqlx::{Connection, Executor, PgConnection};

use super::Target;

/// Nobody reads or writes the log for so long.
pub(super) async fn hold(target: Target, lasts: Duration) -> Result<()> {
    let mut connection = PgConnection::connect(&target.database).await?;
    connection.execute("begin; lock table events").await?;
    tokio::time::sleep(lasts).await;
    connection.execute("rollback").await?;
    Ok(())
}
