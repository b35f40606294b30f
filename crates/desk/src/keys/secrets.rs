//! What proves keys: the one place with SQL for `api_key_secrets`.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sqlx::{PgPool, Row as _};

use super::KeyId;

/// What is stored of a secret.
#[derive(Debug)]
pub(super) struct SecretRow {
    pub(super) hash: String,
    pub(super) sieve: i16,
}

/// Keeps the hash of a secret.
pub(super) async fn insert(
    pool: &PgPool,
    id: &KeyId,
    secret: &SecretRow,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query("insert into api_key_secrets (key_id, hash, sieve, created_at) values ($1, $2, $3, $4)")
        .bind(id.as_str())
        .bind(&secret.hash)
        .bind(secret.sieve)
        .bind(now)
        .execute(pool)
        .await
        .map(drop)
}

/// The secrets of the keys with these ids, the newest first.
pub(super) async fn find(pool: &PgPool, ids: &[&str]) -> Result<HashMap<String, Arc<[SecretRow]>>, sqlx::Error> {
    let rows =
        sqlx::query("select key_id, hash, sieve from api_key_secrets where key_id = any($1) order by created_at desc")
            .bind(ids)
            .fetch_all(pool)
            .await?;
    let mut found: HashMap<String, Vec<SecretRow>> = HashMap::new();
    for row in &rows {
        let secret = SecretRow { hash: row.try_get(1)?, sieve: row.try_get(2)? };
        found.entry(row.try_get(0)?).or_default().push(secret);
    }
    Ok(found.into_iter().map(|(id, secrets)| (id, secrets.into())).collect())
}

/// The keys of which there are secrets. One whose making was broken off has no record.
pub(super) async fn keys(pool: &PgPool) -> Result<Vec<KeyId>, sqlx::Error> {
    let ids = sqlx::query_scalar::<_, String>("select distinct key_id from api_key_secrets").fetch_all(pool).await?;
    ids.iter().map(|id| key_id(id)).collect()
}

/// All secrets: their keys and their fingerprints.
pub(super) async fn fingerprints(pool: &PgPool) -> Result<Vec<(KeyId, String)>, sqlx::Error> {
    let rows = sqlx::query_as("select key_id, hash from api_key_secrets").fetch_all(pool).await?;
    let read = |(id, hash): (String, String)| Ok((key_id(&id)?, fingerprint(&hash)));
    rows.into_iter().map(read).collect()
}

fn key_id(text: &str) -> Result<KeyId, sqlx::Error> {
    KeyId::parse(text).ok_or_else(|| sqlx::Error::Decode("api_key_secrets.key_id".into()))
}

/// Names a stored secret without helping to find it.
pub(super) fn fingerprint(hash: &str) -> String {
    Sha256::digest(hash).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
