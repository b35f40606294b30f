//! Asking again: what is unknown is found out, and what was acknowledged is repeated.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::{StreamExt, stream};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::history::{Attempt, Command, Known, Outcome};
use crate::report::Account;
use crate::rules;
use crate::world::World;

/// How many of the acknowledged commands are repeated at the most.
const REPEATED: usize = 3_000;
const AT_ONCE: usize = 8;
/// How long an answer is insisted on: of one command, and of all together.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_mins(2));

/// Repeats each command of unknown outcome: the answer must be the true one.
pub(super) async fn settle(world: &World, commands: &mut [Command]) -> Result<Account> {
    let mut account = Account { attempted: commands.len() as u64, ..Account::default() };
    for command in commands.iter() {
        match command.known() {
            Known::Acknowledged => account.acknowledged += 1,
            Known::Refused => account.refused += 1,
            Known::Unknown => account.unknown += 1,
        }
    }
    let unknown = commands.iter_mut().filter(|command| command.known() == Known::Unknown);
    let until = Instant::now() + PATIENCE.1;
    let mut settled = stream::iter(unknown).map(|command| ask_again(world, command, until)).buffer_unordered(AT_ONCE);
    while let Some(there) = settled.next().await {
        if there? {
            account.recovered += 1;
        } else {
            account.absent += 1;
        }
    }
    Ok(account)
}

/// Whether it had been done.
async fn ask_again(world: &World, command: &mut Command, until: Instant) -> Result<bool> {
    let sql = "select count(*) from receipts where key = $1";
    let there: i64 = sqlx::query_scalar(sql).bind(&command.nonce).fetch_one(&world.pool).await?;
    let there = there > 0;
    let attempt = insist(world, command, 0, until).await;
    let (answered, what) = match &attempt.outcome {
        Outcome::Ok(answer) => {
            (answer.replayed, format!("answered as {}", if answer.replayed { "repeated" } else { "new" }))
        }
        Outcome::Refused(status, code) => (false, format!("refused with {status} {code}")),
        other => (!there, format!("{other:?}")),
    };
    if answered != there {
        let found = if there { "in" } else { "not in" };
        world.findings.add(rules::UNKNOWN, format!("{} was {found} the log, and its retry was {what}", command.nonce));
    }
    command.attempts.push(attempt);
    Ok(there)
}

/// What was acknowledged is answered the same, by whichever process.
pub(super) async fn repeat(world: &World, commands: &[Command]) -> Result<()> {
    let acknowledged: Vec<_> = commands.iter().filter(|command| command.answer().is_some()).collect();
    let until = Instant::now() + PATIENCE.1;
    let mut rng = StdRng::seed_from_u64(u64::from(world.run));
    let chosen: Vec<_> = acknowledged.sample(&mut rng, REPEATED.min(acknowledged.len())).collect();
    let mut repeated = stream::iter(chosen.into_iter().enumerate())
        .map(|(index, command)| async move { (command, insist(world, command, index, until).await) })
        .buffer_unordered(AT_ONCE);
    while let Some((command, again)) = repeated.next().await {
        let differences = match (&again.outcome, command.answer()) {
            (Outcome::Ok(again), Some(first)) => first.differs_from(again),
            (other, _) => vec![format!("it is answered {other:?}")],
        };
        if !differences.is_empty() {
            world.findings.add(rules::RETRIES, format!("{}: {}", command.nonce, differences.join("; ")));
        }
    }
    Ok(())
}

/// Sends it until there is an answer, once at least.
async fn insist(world: &World, command: &Command, index: usize, until: Instant) -> Attempt {
    let apis: Vec<_> = world.apis().collect();
    let deadline = until.min(Instant::now() + PATIENCE.0);
    let mut at = index;
    loop {
        let attempt = world.attempt(apis[at % apis.len()], command).await;
        let busy = matches!(attempt.outcome, Outcome::Refused(429, _) | Outcome::Undone(_) | Outcome::Unknown(_));
        if !busy || Instant::now() > deadline {
            return attempt;
        }
        at += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
