//! A new generation beside the one that serves.

use std::sync::atomic::{AtomicBool, Ordering};

use eventstore::Position;
use projections::Reader;

use crate::world::{World, at_least, eventually, everything, note, opened, ticket};

/// Waits until a generation serves.
pub(crate) async fn served(reader: &Reader, name: &str, generation: i32) {
    eventually("the new generation serves", async || {
        let all = reader.status().await.unwrap();
        let serves = |s: &&projections::Status| s.name == name && s.generation == generation && s.state == "live";
        all.iter().find(serves).map(drop)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rebuild_under_load_equals_what_it_replaces() {
    let world = World::new().await;
    let process = world.process().await;
    for n in 0..50 {
        world.story(n).await;
    }
    // counts the generations that take the place of one that had come further: a sequence keeps it over a rollback
    sqlx::raw_sql(
        "create sequence steps_back;
         grant all on sequence steps_back to docket_program;
         create function count_steps_back() returns trigger language plpgsql as $$
         declare
           other bigint;
         begin
           select c.position into other from checkpoints c join read_models.generations g on c.name = g.name || '@' || g.generation
            where g.name = new.name and g.generation < new.generation order by g.generation desc limit 1;
           if other > (select position from checkpoints where name = new.name || '@' || new.generation) then
             perform nextval('steps_back');
           end if;
           return new;
         end $$;
         create trigger count_steps_back before update on read_models.generations for each row
           when (new.state = 'live' and old.state = 'building') execute function count_steps_back()",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    let done = AtomicBool::new(false);
    let writer = async {
        for n in 50..100_000 {
            if done.load(Ordering::Relaxed) {
                return;
            }
            world.record(ticket(n), &[opened(n)]).await;
            world.record(ticket(n - 50), &[note("while it is rebuilt")]).await;
        }
    };
    let reader = async {
        let mut last = Position(0);
        while !done.load(Ordering::Relaxed) {
            let page = process.reader.tickets(&everything(), at_least(Position(0))).await.unwrap();
            assert!(page.position >= last, "a reader never steps back");
            assert!(!page.items.is_empty());
            last = page.position;
            let queues = process.reader.queues(&projections::Viewer::Everything, at_least(Position(0))).await.unwrap();
            assert!(!queues.queues.is_empty());
        }
    };
    let rebuilds = async {
        let names = ["tickets", "queues"];
        for name in names {
            served(&process.reader, name, 1).await;
        }
        for round in 0..4 {
            let name = names[round % 2];
            let generation = process.reader.rebuild(name).await.unwrap().unwrap();
            served(&process.reader, name, generation).await;
            let all = process.reader.status().await.unwrap();
            let status = all.iter().find(|s| s.name == name && s.generation == generation).unwrap();
            assert_eq!(status.comparison.as_deref(), Some("equal"));
        }
        done.store(true, Ordering::Relaxed);
    };
    tokio::join!(writer, reader, rebuilds);
    let stepped: bool = sqlx::query_scalar("select is_called from steps_back").fetch_one(&world.pool).await.unwrap();
    assert!(!stepped, "readers would have stepped back");
    world.assert_right(&process.reader).await;
    eventually("what is retired is removed", async || {
        let tables: i64 = sqlx::query_scalar(
            "select count(*) from pg_tables where schemaname = 'read_models' and tablename ~ '_[0-9]+$'
                and not exists (select from read_models.generations where state = 'live'
                                   and tablename ~ ('^' || name || '(_[a-z]+)?_' || generation || '$'))",
        )
        .fetch_one(&world.pool)
        .await
        .unwrap();
        (tables == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_rebuild_continues() {
    let world = World::new().await;
    for n in 0..40 {
        let notes: Vec<_> = (0..900).map(|_| note("one of very many")).collect();
        world.record(ticket(n), &[opened(n)]).await;
        world.record(ticket(n), &notes).await;
    }
    let building = async |least: i64| {
        let found: Option<(i32, i64)> = sqlx::query_as(
            "select g.generation, c.position from read_models.generations g
               join checkpoints c on c.name = g.name || '@' || g.generation
              where g.name = 'tickets' and g.state = 'building' and c.position > $1",
        )
        .bind(least)
        .fetch_optional(&world.pool)
        .await
        .unwrap();
        found
    };
    let process = world.process().await;
    let (generation, reached) = eventually("it is under way", async || building(0).await).await;
    drop(process);
    assert!(reached < 36_040, "killed before its end");
    // where the dead process has come to, and no less far: it is not begun again
    let process = world.process().await;
    served(&process.reader, "tickets", generation).await;
    world.assert_right(&process.reader).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_schema_version_is_rebuilt_while_old_serves() {
    let world = World::new().await;
    let head = {
        let process = world.process().await;
        let head = world.story(0).await;
        process.reader.tickets(&everything(), at_least(head)).await.unwrap();
        head
    };
    // as if an older program had made it
    sqlx::query("update read_models.generations set schema_version = 0 where name = 'tickets'")
        .execute(&world.pool)
        .await
        .unwrap();
    let process = world.process().await;
    let page = process.reader.tickets(&everything(), at_least(Position(0))).await.unwrap();
    assert_eq!((page.position, page.items.len()), (head, 1), "it serves on");
    served(&process.reader, "tickets", 2).await;
    world.story(1).await;
    world.assert_right(&process.reader).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn difference_is_reported_and_the_rebuild_serves() {
    let world = World::new().await;
    let process = world.process().await;
    let head = world.story(0).await;
    process.reader.tickets(&everything(), at_least(head)).await.unwrap();
    sqlx::query("update read_models.tickets_1 set team = id").execute(&world.pool).await.unwrap();
    let generation = process.reader.rebuild("tickets").await.unwrap().unwrap();
    served(&process.reader, "tickets", generation).await;
    let all = process.reader.status().await.unwrap();
    let status = all.iter().find(|s| s.name == "tickets" && s.state == "live").unwrap();
    assert!(status.comparison.as_ref().unwrap().starts_with("differs: read_models.tickets_1"), "{status:?}");
    world.assert_right(&process.reader).await;
}

/// Changes the stored form of a ticket behind the back of the program, as an older version of it would have left it.
async fn spoil(world: &World, n: u128) {
    sqlx::query("update read_models.tickets_1 set ticket = '{\"form\": \"old\"}' where id = $1")
        .bind(ticket(n).0)
        .execute(&world.pool)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_row_is_rebuilt_not_parked() {
    let world = World::new().await;
    {
        let process = world.process().await;
        world.story(0).await;
        let head = world.story(1).await;
        process.reader.tickets(&everything(), at_least(head)).await.unwrap();
    }
    spoil(&world, 0).await;
    // nothing is cached: the projector reads the row
    let process = world.process().await;
    world.record(ticket(0), &[note("onto a row of an older form")]).await;
    served(&process.reader, "tickets", 2).await;
    world.assert_right(&process.reader).await;
    let all = process.reader.status().await.unwrap();
    assert!(all.iter().all(|status| status.parked_streams == 0), "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_row_in_a_list_begins_a_rebuild() {
    let world = World::new().await;
    let process = world.process().await;
    let head = world.story(0).await;
    process.reader.tickets(&everything(), at_least(head)).await.unwrap();
    spoil(&world, 0).await;
    let answer = process.reader.tickets(&everything(), at_least(head)).await;
    assert!(matches!(answer, Err(projections::ReadError::UnreadableRow(_))), "{answer:?}");
    served(&process.reader, "tickets", 2).await;
    world.assert_right(&process.reader).await;
}

#[tokio::test]
async fn unknown_read_model_is_not_rebuilt() {
    let world = World::new().await;
    let process = world.process().await;
    assert_eq!(process.reader.rebuild("nothing").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn rebuilt_records_equal_what_they_replace() {
    let world = World::new().await;
    let process = world.process().await;
    crate::records::record(&world).await;
    world.assert_right(&process.reader).await;
    for name in ["people", "agents", "settings"] {
        let generation = process.reader.rebuild(name).await.unwrap().unwrap();
        served(&process.reader, name, generation).await;
        let all = process.reader.status().await.unwrap();
        let status = all.iter().find(|s| s.name == name && s.state == "live").unwrap();
        assert_eq!(status.comparison.as_deref(), Some("equal"), "{name}");
    }
    world.assert_right(&process.reader).await;
}
