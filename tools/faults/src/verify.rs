//! When the faults are over: what was kept is held against what was said.

mod commands;
mod followers;
mod immutable;
mod log;
mod retries;
mod slots;
mod timers;

use std::collections::HashMap;

use anyhow::Result;
use uuid::Uuid;

use crate::follow::Seen;
use crate::history::Command;
use crate::report::Account;
use crate::world::World;

/// An event as it stands in the log.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Event {
    pub(crate) position: i64,
    pub(crate) stream_id: Uuid,
    pub(crate) version: i64,
    #[sqlx(rename = "type")]
    pub(crate) kind: String,
    pub(crate) payload: String,
    pub(crate) command_id: String,
    /// In microseconds.
    pub(crate) recorded_at: i64,
}

/// Where a receipt points.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Receipt {
    pub(crate) caller: String,
    pub(crate) key: String,
    pub(crate) position: i64,
}

/// All that was kept.
#[derive(Debug)]
pub(crate) struct Kept {
    /// By position, without those that share one.
    pub(crate) events: Vec<Event>,
    pub(crate) receipts: HashMap<String, Receipt>,
    /// The receipts of what timers did.
    pub(crate) timers: Vec<Receipt>,
    /// The events of each command, in order.
    pub(crate) units: HashMap<String, Vec<usize>>,
    pub(crate) by_position: HashMap<i64, usize>,
}

impl Kept {
    async fn load(world: &World) -> Result<Self> {
        let sql = "select position, stream_id, version, type, payload::text as payload,
                          coalesce(metadata->>'command_id', '') as command_id,
                          (extract(epoch from recorded_at) * 1000000)::bigint as recorded_at
                     from events order by position";
        let events: Vec<Event> = sqlx::query_as(sql).fetch_all(&world.pool).await?;
        let receipts: Vec<Receipt> =
            sqlx::query_as("select caller, key, position from receipts").fetch_all(&world.pool).await?;
        let (timers, receipts): (Vec<_>, Vec<_>) = receipts.into_iter().partition(|it| it.caller == "system:timers");
        let mut units: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, event) in events.iter().enumerate() {
            units.entry(event.command_id.clone()).or_default().push(index);
        }
        let by_position = events.iter().enumerate().map(|(index, event)| (event.position, index)).collect();
        let receipts = receipts.into_iter().map(|receipt| (receipt.key.clone(), receipt)).collect();
        Ok(Self { events, receipts, timers, units, by_position })
    }

    /// The events that a key stands for, if it was used.
    pub(crate) fn unit(&self, nonce: &str) -> Option<&[usize]> {
        let receipt = self.receipts.get(nonce)?;
        let event = &self.events[*self.by_position.get(&receipt.position)?];
        self.units.get(&event.command_id).map(Vec::as_slice)
    }
}

/// Checks everything; gives back the account of the commands.
pub(crate) async fn all(
    world: &World,
    mut commands: Vec<Command>,
    seen: impl AsyncFnOnce() -> Vec<Seen>,
) -> Result<Account> {
    tell("asking again for what is unknown");
    let mut account = retries::settle(world, &mut commands).await?;
    tell("waiting for the timers");
    timers::wait(world).await?;
    // before anything is repeated: a lost command would be carried out anew, and not be missed
    let kept = Kept::load(world).await?;
    let (events, timers) = (kept.events.len(), kept.timers.len());
    tell(&format!("holding {events} events against {} commands and {timers} timers", commands.len()));
    commands::all(world, &kept, &commands, &mut account);
    let before = kept.events.len();
    tell("repeating what was acknowledged");
    retries::repeat(world, &commands).await?;
    crate::faults::poison::leave_out(world).await?;
    tell("rebuilding the read models, auditing the log and the broker");
    followers::read_models(world).await?;
    followers::audits(world).await?;
    let seen = seen().await;
    let kept = Kept::load(world).await?;
    if kept.events.len() != before {
        let what = format!("repeating what was acknowledged made {} events of {before}", kept.events.len());
        world.findings.add(crate::rules::RETRIES, what);
    }
    log::sound(world, &kept);
    slots::all(world, &kept);
    log::seen(world, &kept, &seen);
    followers::broker(world, &kept).await?;
    tell("trying to change what was recorded");
    immutable::all(world, &kept).await?;
    Ok(account)
}

fn tell(what: &str) {
    crate::report::say(&format!("  {what}"));
}
