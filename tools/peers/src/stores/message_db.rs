use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use bench::{STREAMS, payload, pgbench};
use devstack::Postgres;
use sqlx::PgPool;

use crate::scripts;

/// In the order of the package's own installer.
const PARTS: [&str; 6] = ["schema", "extensions", "tables", "types", "functions", "indexes"];

/// Its interface is a function of the database: called by the leanest client there is, so that no driver is measured.
pub async fn measure(postgres: &Postgres, database: &str, writers: usize, time: Duration) -> Result<f64> {
    let pool = PgPool::connect(&postgres.url(database)).await?;
    install(&pool, &scripts::node_folder().join("node_modules/@eventide/message-db/database")).await?;
    sqlx::raw_sql(&format!("alter database {database} set search_path to message_store, public"))
        .execute(&pool)
        .await?;
    pool.close().await;
    let each = u32::try_from(usize::try_from(STREAMS)?.div_ceil(writers))?;
    let script = format!(
        "\\set turn :turn + 1\n\
         \\set stream :turn % {each} * {writers} + :client_id\n\
         \\set version :turn / {each} - 1\n\
         select message_store.write_message(gen_random_uuid()::text, 'ticket-' || :stream::text, 'ReplyAdded', \
         '{}'::jsonb, null, :version);\n",
        payload()
    );
    pgbench(postgres, database, &script, &["turn=-1"], writers, time)
}

/// The package's own SQL, without the roles and rights that its installer makes besides.
async fn install(pool: &PgPool, folder: &Path) -> Result<()> {
    for part in PARTS {
        let entries = std::fs::read_dir(folder.join(part)).with_context(|| format!("message-db's {part}"))?;
        let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        files.sort();
        for file in files {
            let sql = std::fs::read_to_string(&file)?;
            let run = sqlx::raw_sql(&sql).execute(pool).await;
            run.with_context(|| format!("{}", file.display()))?;
        }
    }
    Ok(())
}
