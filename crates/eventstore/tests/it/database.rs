//! What the database itself refuses.

use crate::world::{World, appended, event, exact, stream, unit};

#[tokio::test]
async fn events_cannot_be_changed_or_removed() {
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
async fn positions_and_versions_are_unique_by_named_constraints() {
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
async fn an_append_insists_on_read_committed() {
    let world = World::new().await;
    let mut tx = world.pool.begin().await.unwrap();
    sqlx::query("set transaction isolation level repeatable read").execute(&mut *tx).await.unwrap();
    let call = format!("select eventstore_append(null, null{})", ", '{}'".repeat(32));
    let error = sqlx::query(sqlx::AssertSqlSafe(call)).execute(&mut *tx).await.unwrap_err();
    assert!(error.to_string().contains("READ COMMITTED"), "{error}");
}
