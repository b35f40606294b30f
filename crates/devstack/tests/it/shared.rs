use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use devstack::Durability;
use devstack::testing::{TestDatabase, private_postgres};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::child;

async fn database(template: &str, prepared: &Arc<AtomicUsize>) -> TestDatabase {
    TestDatabase::create(template, |url| async move {
        prepared.fetch_add(1, Ordering::Relaxed);
        let mut connection = PgConnection::connect(&url).await?;
        sqlx::query("create table t (n int)").execute(&mut connection).await?;
        Ok(())
    })
    .await
}

async fn count(url: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query("insert into t values (1)").execute(&mut connection).await.unwrap();
    sqlx::query_scalar("select count(*) from t").fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn clones_are_isolated_and_dropped() {
    let prepared = Arc::new(AtomicUsize::new(0));
    // a name of this process: an earlier run's template would be there still
    let template = format!("devstack {}", std::process::id());
    let all = tokio::join!(
        database(&template, &prepared),
        database(&template, &prepared),
        database(&template, &prepared),
        database(&template, &prepared)
    );
    assert_eq!(prepared.load(Ordering::Relaxed), 1);
    let counts = tokio::join!(count(all.0.url()), count(all.1.url()), count(all.2.url()), count(all.3.url()));
    assert_eq!(counts, (1, 1, 1, 1));

    let (gone, stays) = (all.0.name().to_owned(), all.1);
    drop(all.0);
    let mut connection = PgConnection::connect(stays.url()).await.unwrap();
    let found =
        sqlx::query("select 1 from pg_database where datname = $1").bind(gone).fetch_optional(&mut connection).await;
    assert!(found.unwrap().is_none());
}

#[tokio::test]
async fn failed_template_is_rebuilt() {
    let template = format!("devstack failing {}", std::process::id());
    let failed = tokio::spawn({
        let template = template.clone();
        async move { TestDatabase::create(&template, |_| async { Err("on purpose".into()) }).await }
    });
    assert!(failed.await.is_err());
    let database = database(&template, &Arc::new(AtomicUsize::new(0))).await;
    assert_eq!(count(database.url()).await, 1);
}

#[tokio::test]
async fn environment_replaces_shared_server() {
    let (dir, postgres) = private_postgres(Durability::Fast).await;
    let mut child = child::command("database", dir.path());
    child.env("DOCKET_TEST_DATABASE_URL", postgres.url("postgres"));
    let url = child::answer(child);
    let (_, socket) = url.split_once('?').unwrap();
    assert!(postgres.url("postgres").ends_with(socket), "{url}");
}

#[tokio::test]
async fn shared_server_has_fsync_off() {
    let database = database("devstack settings", &Arc::new(AtomicUsize::new(0))).await;
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    for (setting, expected) in
        [("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off"), ("server_encoding", "UTF8")]
    {
        let value: String =
            sqlx::query_scalar(AssertSqlSafe(format!("show {setting}"))).fetch_one(&mut connection).await.unwrap();
        assert_eq!(value, expected, "{setting}");
    }
}
