//! What was recorded stays as it is: the database refuses, and the audit finds what a superuser did all the same.

use anyhow::Result;

use super::{Kept, followers};
use crate::rules;
use crate::world::World;

const CHANGES: &[&str] =
    &["update events set type = 'x' where position = 1", "delete from events where position = 1", "truncate events"];

pub(super) async fn all(world: &World, kept: &Kept) -> Result<()> {
    // the program's own role has no right to; its owner, here a superuser, meets the triggers
    for (role, states) in [("docket_program", &["42501"][..]), ("postgres", &["23001"][..])] {
        for change in CHANGES {
            let mut tx = world.pool.begin().await?;
            sqlx::raw_sql(sqlx::AssertSqlSafe(format!("set local role {role}"))).execute(&mut *tx).await?;
            let refused = sqlx::query(*change).execute(&mut *tx).await.err();
            let state = refused.as_ref().and_then(|error| Some(error.as_database_error()?.code()?.into_owned()));
            if !state.as_deref().is_some_and(|state| states.contains(&state)) {
                world.findings.add(rules::IMMUTABLE, format!("{change} as {role} was answered {state:?}"));
            }
            tx.rollback().await?;
        }
    }
    // one who may do anything takes an event out of the middle
    let middle = kept.events.get(kept.events.len() / 2).map_or(1, |event| event.position);
    let delete = format!(
        "alter table events disable trigger all; delete from events where position = {middle}; alter table events enable trigger all"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(delete)).execute(&world.pool).await?;
    let (code, report) = followers::audit(world, "verify").await?;
    if code != Some(2) || !report.contains("position_gap") {
        let what = format!("event {middle} was deleted, and docket audit verify ended with {code:?}");
        world.findings.add(rules::IMMUTABLE, what);
    }
    Ok(())
}
