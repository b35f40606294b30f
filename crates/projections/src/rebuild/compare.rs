//! Two generations, row by row, in one snapshot: how many rows each table has, and the sum of their hashes.

use eventstore::{EventStore, Fault, Lead};
use sqlx::{AssertSqlSafe, Executor, Row};

use crate::generations::{Generation, Made};
use crate::projection::Projection;
use crate::session::Session;

/// A snapshot in which both generations have read the same part of the log.
pub(super) struct Snapshot {
    projection: &'static dyn Projection,
    /// Holds the transaction; it ends with the connection.
    lead: Option<Lead>,
    old: Generation,
    new: Generation,
}

/// Takes the snapshot; the live generation's projector is held back meanwhile.
pub(super) async fn snapshot(store: &EventStore, session: &Session, aligned: Option<Made>) -> Result<Snapshot, Fault> {
    let new = session.generation;
    let mut snapshot = Snapshot { projection: session.projection, lead: None, old: new, new };
    if let Some(aligned) = aligned {
        snapshot.old = aligned.generation;
        snapshot.lead = store.try_lead(&format!("{} compared", new.cursor(session.projection.name()))).await?;
    }
    if let Some(lead) = &mut snapshot.lead {
        // the snapshot is taken by the first query, not by `begin`
        lead.connection().execute("begin isolation level repeatable read read only").await?;
        lead.connection().execute("set local statement_timeout = 0").await?;
        lead.connection().execute("select count(*) from read_models.generations").await?;
    }
    Ok(snapshot)
}

impl Snapshot {
    /// In words: `equal`, or how they differ.
    pub(super) async fn comparison(mut self) -> Result<String, Fault> {
        let Some(lead) = &mut self.lead else {
            return Ok("not compared: the one before it could not be held at the same position".to_owned());
        };
        let mut differences = Vec::new();
        let tables = self.projection.tables(self.old).into_iter().zip(self.projection.tables(self.new));
        for (old, new) in tables {
            let mut prints = Vec::new();
            for table in [&old, &new] {
                let sql = format!(
                    "select count(*), coalesce(sum(hash_record_extended({row}, 0)::numeric), 0)::text from {name} t",
                    row = table.row,
                    name = table.name
                );
                let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut *lead.connection()).await?;
                prints.push((row.try_get::<i64, _>(0)?, row.try_get::<String, _>(1)?));
            }
            if let [(old_rows, old_hash), (new_rows, new_hash)] = prints.as_slice()
                && (old_rows != new_rows || old_hash != new_hash)
            {
                differences.push(format!(
                    "{} has {old_rows} rows, {} {new_rows}, and their contents differ",
                    old.name, new.name
                ));
            }
        }
        Ok(if differences.is_empty() { "equal".to_owned() } else { format!("differs: {}", differences.join("; ")) })
    }
}
