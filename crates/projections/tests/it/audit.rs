//! The audit of the read models.

use projections::{Difference, Projections};
use sqlx::AssertSqlSafe;

use crate::world::{World, caught_up};

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
        let head = world.story(0).await;
        world.assert_right(&process.reader).await;
        caught_up(&process.reader, head).await;
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
