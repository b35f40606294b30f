//! Each event is applied exactly once, whatever dies when.

use std::time::Duration;

use crate::world::{World, all_tickets, note, story, ticket};

#[tokio::test(flavor = "multi_thread")]
async fn old_and_new_events_are_applied() {
    let world = World::new().await;
    for n in 0..20 {
        world.story(n).await;
    }
    let process = world.process().await;
    world.assert_right(&process.reader).await;
    for n in 10..40 {
        world.story(n + 10).await;
        world.record(ticket(n), &[note("more")]).await;
    }
    world.assert_right(&process.reader).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_projector_applies_each_event_once() {
    let world = World::new().await;
    // the moment between what is written and the cursor's move is long enough to be met
    sqlx::raw_sql(
        "create function dawdle() returns trigger language plpgsql as $$ begin perform pg_sleep(0.02); return new; end $$;
         create trigger dawdle before update on checkpoints for each row execute function dawdle()",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    let writer = async {
        for n in 0..400 {
            for event in story(n) {
                world.record(ticket(n), &[event, note("and this")]).await;
            }
        }
    };
    let killer = async {
        // a schedule, not a wait: each life is cut off at another point of its work
        for life in 0..40 {
            let process = world.process().await;
            tokio::time::sleep(Duration::from_millis(15 + life * 7)).await;
            if life % 3 == 0 {
                // the server's side of it dies as well
                sqlx::query("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())")
                    .execute(&world.pool)
                    .await
                    .unwrap();
            }
            drop(process);
        }
    };
    tokio::join!(writer, killer);
    let process = world.process().await;
    world.assert_right(&process.reader).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn projector_survives_lost_connections() {
    let world = World::new().await;
    let process = world.process().await;
    for n in 0..30 {
        let position = world.story(n).await;
        if n % 10 == 5 {
            all_tickets(&process.reader, position).await;
            sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()")
                .execute(&world.pool)
                .await
                .unwrap();
        }
    }
    world.assert_right(&process.reader).await;
}
