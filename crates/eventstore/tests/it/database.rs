//! What the database itself refuses.

use crate::world::{World, appended, event, exact, stream, unit};

#[tokio::test]
async fn events_are_append_only() {
    let world = World::new().await;
    appended(world.store.append(unit(1, stream(1), exact(0), vec![event("{}")])).await);
    for sql in ["update events set type = 'other'", "delete from events", "truncate events"] {
        let error = sqlx::query(sql).execute(&world.pool).await.unwrap_err();
        let error = error.as_database_error().unwrap();
        assert_eq!(error.code().as_deref(), Some("23001"), "{sql}: {error}");
    }
    assert_eq!(world.log().await.len(), 1);
}

#[tokio::test]
async fn positions_and_versions_are_unique() {
    let world = World::new().await;
    appended(world.store.append(unit(1, stream(1), exact(0), vec![event("{}")])).await);
    let again = |position: i64, id: i64| {
        format!(
            "insert into events select {position}, lpad('{id}', 32, '0')::uuid, stream_type, version, type, schema_version, payload,
             metadata, occurred_at, recorded_at from events"
        )
    };
    for (sql, constraint) in [(again(1, 2), "events_pkey"), (again(2, 1), "events_stream_version_key")] {
        let error = sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&world.pool).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().constraint(), Some(constraint));
    }
}

#[tokio::test]
async fn append_requires_read_committed() {
    let world = World::new().await;
    let mut tx = world.pool.begin().await.unwrap();
    sqlx::query("set transaction isolation level repeatable read").execute(&mut *tx).await.unwrap();
    let call = format!("select eventstore_append(null, null{})", ", '{}'".repeat(32));
    let error = sqlx::query(sqlx::AssertSqlSafe(call)).execute(&mut *tx).await.unwrap_err();
    assert!(error.to_string().contains("READ COMMITTED"), "{error}");
}

#[tokio::test]
async fn migrate_refuses_a_log_from_before_the_baseline() {
    let world = World::new().await;
    sqlx::query("update eventstore_migrations set checksum = 'another' where version = 1")
        .execute(&world.pool)
        .await
        .unwrap();
    let refused = eventstore::migrate(&world.pool).await.unwrap_err();
    assert!(matches!(refused, eventstore::MigrateError::BeforeBaseline), "{refused:?}");
    assert!(refused.to_string().contains("start with an empty data directory"), "{refused}");
}

#[tokio::test]
async fn migrate_installs_a_changed_function_again() {
    let world = World::new().await;
    let lock = async || sqlx::query_scalar::<_, i64>("select eventstore_lock()").fetch_one(&world.pool).await.unwrap();
    let (right, checksum) =
        (lock().await, "update eventstore_functions set checksum = 'x' where name = 'eventstore_lock'");
    let other = "create or replace function eventstore_lock() returns bigint language sql return 1";
    sqlx::raw_sql(other).execute(&world.pool).await.unwrap();
    eventstore::migrate(&world.pool).await.unwrap();
    assert_eq!(lock().await, 1, "the same text is not installed again");
    // as an older version would have left it
    sqlx::raw_sql(checksum).execute(&world.pool).await.unwrap();
    let both = tokio::join!(eventstore::migrate(&world.pool), eventstore::migrate(&world.pool));
    both.0.and(both.1).unwrap();
    assert_eq!(lock().await, right);
}

/// The copy is kept by hand: it must follow the original.
#[test]
fn planted_append_differs_only_in_its_bug() {
    let original = include_str!("../../migrations/sql/eventstore_append.sql");
    let planted = include_str!("../../src/planted/eventstore_append_sequence.sql");
    let lines = |text: &'static str| text.lines().collect::<std::collections::BTreeSet<_>>();
    let (original, planted) = (lines(original), lines(planted));
    let removed: Vec<_> = original.difference(&planted).collect();
    let added: Vec<_> = planted.difference(&original).collect();
    assert!(removed.len() <= 5 && added.len() <= 8, "{removed:#?} {added:#?}");
}
