//! The secret that page cursors are sealed with. The database generates it on first use; all processes share it.

use eventstore::StoreError;
use sqlx::PgPool;

/// The secret with this name.
pub(crate) async fn get(pool: &PgPool, name: &str) -> Result<Vec<u8>, StoreError> {
    let find = "select secret from read_models.secrets where name = $1";
    if let Some(secret) = sqlx::query_scalar(find).bind(name).fetch_optional(pool).await? {
        return Ok(secret);
    }
    // two random UUIDs: 244 bits of the server's strong randomness
    sqlx::query(
        "insert into read_models.secrets (name, secret)
         values ($1, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
         on conflict on constraint secrets_pkey do nothing",
    )
    .bind(name)
    .execute(pool)
    .await?;
    Ok(sqlx::query_scalar(find).bind(name).fetch_one(pool).await?)
}
