//! An event that no read model can apply: as a newer version of the program would write it, through the log's own function.

use anyhow::Result;
use tokio::time::Instant;
use uuid::Uuid;

use super::Injection;
use crate::rules;
use crate::world::World;

/// Appends it to a ticket of its own; it stays there, and everything else must go on.
///
/// By the function of migration 0007, which programs older than 0008 still call beside this one.
pub(super) async fn append(world: &World, rng: &mut rand::rngs::StdRng) -> Result<Injection> {
    use rand::RngExt;
    let (stream, command) = (Uuid::from_u128(rng.random()), Uuid::from_u128(rng.random()));
    let mut tx = world.pool.begin().await?;
    let sql = "select head from eventstore_append(array[json_build_object('command_id', $2)::text], array[1], array[$1],
                 array[0::bigint], array[1], array['ticket.haunted'], array[1::smallint], array['{\"by\": \"a ghost\"}'],
                 array[clock_timestamp()], array[]::int[], array[]::text[], array[]::text[], array[]::bytea[],
                 array[]::smallint[], array[]::int[], array[]::int[], array[]::text[], array[]::text[])";
    let head: i64 = sqlx::query_scalar(sql).bind(stream).bind(command).fetch_one(&mut *tx).await?;
    // before anybody can see it
    world.poison(head + 1, stream);
    tx.commit().await?;
    Ok(Injection::Done)
}

/// Its tickets are parked, and nothing else is; an operator decides that they are left out.
pub(crate) async fn leave_out(world: &World) -> Result<()> {
    let mut parked: Vec<(String, Uuid)> = sqlx::query_as(
        "select g.name, p.stream_id from subscriptions.parked p join read_models.generations g
             on p.checkpoint = g.name || '@' || g.generation where g.state = 'live'",
    )
    .fetch_all(&world.pool)
    .await?;
    parked.sort();
    let poisoned = world.poisoned();
    for stream in poisoned.values() {
        if !parked.contains(&("tickets".to_owned(), *stream)) {
            world
                .findings
                .add(rules::READ_MODELS, format!("{stream} has an event that can't be read, and is not parked"));
        }
    }
    let began = Instant::now();
    for (projection, stream) in parked {
        if !poisoned.values().any(|known| *known == stream) {
            world.findings.add(rules::READ_MODELS, format!("{projection} has parked {stream} for no reason"));
            continue;
        }
        let Some(docket) = world.dockets.first() else { continue };
        let stream = stream.to_string();
        let skip =
            ["projections", "skip", &projection, &stream, "--reason", "a fault of the checker's", "--by", "faults"];
        let output = docket.command().args(skip).output().await?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            world
                .findings
                .add(rules::READ_MODELS, format!("{projection} skip {stream} after {:?}: {said}", began.elapsed()));
        }
    }
    let left = world
        .ask(
            "select count(*) from subscriptions.parked p join read_models.generations g
             on p.checkpoint = g.name || '@' || g.generation where g.state = 'live'",
        )
        .await?;
    if left > 0 {
        world.findings.add(rules::READ_MODELS, format!("{left} tickets are still parked after they were left out"));
    }
    Ok(())
}
