//! The audit of the read models.

use eventstore::StreamId;
use person_aggregate::Person;
use projections::{Difference, Projections};
use sqlx::AssertSqlSafe;

use crate::world::{World, at_least, caught_up};

async fn verify(world: &World) -> Vec<Difference> {
    let projections = Projections::new(world.store.clone(), world.pool.clone());
    projections.verify(|_| {}).await.unwrap()
}

/// The live tables by read model: a model's tables are named after it.
async fn tables(world: &World) -> Vec<(&'static str, String)> {
    let mut tables = Vec::new();
    for name in projections::names() {
        let of_model: Vec<String> = sqlx::query_scalar(
            "select 'read_models.' || tablename from pg_tables
              where schemaname = 'read_models' and tablename ~ ('^' || $1 || '(_[a-z]+)?_1$') order by 1",
        )
        .bind(name)
        .fetch_all(&world.pool)
        .await
        .unwrap();
        assert!(!of_model.is_empty(), "{name} has tables that are named after it");
        tables.extend(of_model.into_iter().map(|table| (name, table)));
    }
    tables
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_finds_lost_rows_of_every_table() {
    let world = World::new().await;
    {
        let process = world.process().await;
        for n in 0..3 {
            world.story(n).await;
        }
        crate::records::record(&world).await;
        let head = world.store.head().await.unwrap();
        caught_up(&process.reader, head).await;
    }
    assert_eq!(verify(&world).await, []);
    for (name, table) in tables(&world).await {
        let run = async |sql: String| sqlx::raw_sql(AssertSqlSafe(sql)).execute(&world.pool).await.unwrap();
        run(format!("create table kept as select * from {table}; delete from {table}")).await;
        let differences = verify(&world).await;
        assert!(!differences.is_empty(), "all rows of {table} are gone");
        assert!(differences.iter().all(|difference| difference.projection == name), "{differences:?}");
        run(format!("insert into {table} select * from kept; drop table kept")).await;
    }
    assert_eq!(verify(&world).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_reports_progress_over_all_models() {
    let world = World::new().await;
    {
        let process = world.process().await;
        world.story(0).await;
        world.assert_right(&process.reader).await;
        caught_up(&process.reader, world.store.head().await.unwrap()).await;
    }
    let mut last = 0;
    let projections = Projections::new(world.store.clone(), world.pool.clone());
    projections.verify(|events| last = events).await.unwrap();
    let head = world.store.head().await.unwrap().0.unsigned_abs();
    assert_eq!(last, head * projections::names().count() as u64);
}

#[tokio::test]
async fn audit_without_read_models_finds_nothing() {
    let world = World::new().await;
    assert_eq!(verify(&world).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_names_what_differs_in_records() {
    let world = World::new().await;
    {
        let process = world.process().await;
        crate::records::record(&world).await;
        world.assert_right(&process.reader).await;
    }
    let run = async |sql: &str| sqlx::raw_sql(AssertSqlSafe(sql)).execute(&world.pool).await.unwrap();
    let details = async || verify(&world).await.into_iter().map(|d| (d.projection, d.detail)).collect::<Vec<_>>();

    run("update read_models.people_1 set blocked = not blocked where name = 'Pat 3'").await;
    assert_eq!(details().await, [("people", "column blocked in the list differs from the log".to_owned())]);
    run("update read_models.people_1 set blocked = not blocked where name = 'Pat 3'").await;

    run("update read_models.agents_1 set load = load + 1 where handle = 'a-2'").await;
    assert_eq!(details().await, [("agents", "column load in the list differs from the log".to_owned())]);
    run("update read_models.agents_1 set load = load - 1 where handle = 'a-2'").await;

    run("update read_models.settings_1 set id = gen_random_uuid() where handle = 'a-2'").await;
    let mut found = details().await;
    found.sort();
    let detail = |detail: &str| ("settings", detail.to_owned());
    let expected = ["the list has this record, the log has not", "the log has this record, the list has not"];
    assert_eq!(found, expected.map(detail));
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_compares_records_in_chunks() {
    let world = World::new().await;
    {
        let process = world.process().await;
        let world = &world;
        let people = (0..2_100).map(|n| async move {
            let story = crate::records::person_story(n);
            world.record_as::<Person>(StreamId(crate::records::someone(n).0), &story).await
        });
        futures_util::future::join_all(people).await;
        let head = world.store.head().await.unwrap();
        process.reader.people(&crate::records::anybody(), at_least(head)).await.unwrap();
    }
    assert_eq!(verify(&world).await, []);
    // one in each chunk, the first and the last of all among them
    let sql = "with numbered as (select id, row_number() over (order by id) as n from read_models.people_1)
               delete from read_models.people_1 where id in (select id from numbered where n in (1, 1500, 2100))";
    sqlx::raw_sql(sql).execute(&world.pool).await.unwrap();
    let found = verify(&world).await;
    let details = found.iter().map(|difference| difference.detail.as_str()).collect::<Vec<_>>();
    assert_eq!(details, ["the log has this record, the list has not"; 3]);
}
