//! API keys: who calls (docs/adr/0006, 0023). The one place with SQL for `api_keys`.

#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod lookup;
mod memory;
mod token;

use shared_kernel::{AgentId, Requester, Role, TeamId, ValueError};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};

use crate::DeskError;
use lookup::Lookups;
use memory::{Memory, sieve};
use shared_kernel::Principal;
use token::Token;

pub use token::KeyId;

/// Makes, verifies, lists and revokes keys. Cheap to clone; clones share what is remembered.
#[derive(Clone, Debug)]
pub struct Keys {
    pool: PgPool,
    memory: Arc<Memory>,
    lookups: Arc<Lookups>,
}

/// What is stored of a key that is not revoked.
#[derive(Debug)]
struct Row {
    role: Role,
    name: String,
    actor: String,
    teams: Vec<String>,
    hash: String,
    sieve: Option<i16>,
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    role: Role,
    name: String,
    actor: String,
    teams: BTreeSet<TeamId>,
}

/// A key as it is listed: without its secret, which nobody has but its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The part of the token that is no secret.
    pub id: KeyId,
    /// What its owner may do.
    pub role: Role,
    /// What it is called.
    pub name: String,
    /// As whom its owner acts: an agent's id, a requester's e-mail address.
    pub actor: String,
    /// The agent's teams.
    pub teams: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when it is refused.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A new key. Its token is shown once.
#[derive(Debug)]
pub struct MintedKey {
    /// The part of the token that is no secret.
    pub id: KeyId,
    /// The whole: `dk_<id>_<secret><checksum>`.
    pub token: String,
}

/// Why a token was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Not of the form of a key, or mistyped.
    #[error("this is not an API key")]
    Malformed,
    /// Not known, revoked, or its secret is wrong.
    #[error("the API key is not valid")]
    Invalid,
    /// Too many keys wait to be verified. Try again later.
    #[error("too many keys are being verified")]
    Busy,
    /// The database.
    #[error(transparent)]
    Store(#[from] eventstore::StoreError),
}

impl From<sqlx::Error> for AuthError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl NewKey {
    /// A key for someone of the staff: its name is also the id that they act under.
    pub fn staff(role: Role, name: &str, teams: BTreeSet<TeamId>) -> Result<Self, ValueError> {
        let id = AgentId::parse(name)?;
        Ok(Self { role, name: id.to_string(), actor: id.to_string(), teams })
    }

    /// A key for a requester, who is known by their address.
    pub fn requester(email: &str, name: Option<&str>) -> Result<Self, ValueError> {
        let requester = Requester::parse(email, name)?;
        let name = requester.name().unwrap_or(requester.email()).to_owned();
        Ok(Self { role: Role::Requester, name, actor: requester.email().to_owned(), teams: BTreeSet::new() })
    }
}

impl Keys {
    /// Over a pool that nothing else has to wait for: who calls must be known also while other statements hang.
    /// `workers` is how many keys are verified at once. Starts a task on the current runtime.
    pub fn new(pool: PgPool, workers: usize) -> Self {
        let lookups = Arc::new(Lookups::start(pool.clone()));
        Self { pool, memory: Arc::new(Memory::new(workers)), lookups }
    }

    /// How often argon2id has been run to verify a key.
    pub fn verifications(&self) -> u64 {
        self.memory.verifications()
    }

    /// Makes a key.
    pub async fn create(&self, key: &NewKey, now: DateTime<Utc>) -> Result<MintedKey, AuthError> {
        let token = Token::mint();
        let hash = self.memory.hash(&token).await?;
        let teams = key.teams.iter().map(TeamId::as_str).collect::<Vec<_>>();
        sqlx::query(
            "insert into api_keys (id, role, name, actor, teams, hash, created_at, sieve) \
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(token.id().as_str())
        .bind(key.role.as_str())
        .bind(&key.name)
        .bind(&key.actor)
        .bind(teams)
        .bind(&hash)
        .bind(now)
        .bind(sieve(&hash, &token))
        .execute(&self.pool)
        .await?;
        Ok(MintedKey { id: token.id().clone(), token: token.reveal() })
    }

    /// All keys, the oldest first.
    pub async fn list(&self) -> Result<Vec<ApiKey>, DeskError> {
        let rows = sqlx::query(
            "select id, role, name, actor, teams, created_at, revoked_at from api_keys order by created_at, id",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(ApiKey {
                    id: KeyId::parse(row.try_get(0)?).ok_or_else(|| unreadable("id"))?,
                    role: row.try_get::<&str, _>(1)?.parse().map_err(|_| unreadable("role"))?,
                    name: row.try_get(2)?,
                    actor: row.try_get(3)?,
                    teams: row.try_get(4)?,
                    created_at: row.try_get(5)?,
                    revoked_at: row.try_get(6)?,
                })
            })
            .collect()
    }

    /// Revokes a key; every instance refuses it within 5 s. `false`: there is no such key. One that
    /// was revoked before stays as it is.
    pub async fn revoke(&self, id: &KeyId, now: DateTime<Utc>) -> Result<bool, DeskError> {
        let done = sqlx::query("update api_keys set revoked_at = coalesce(revoked_at, $2) where id = $1")
            .bind(id.as_str())
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Who calls with this token.
    pub async fn verify(&self, token: &str) -> Result<Arc<Principal>, AuthError> {
        // the checksum first: what is mistyped costs nobody a query
        let token = Token::parse(token).ok_or(AuthError::Malformed)?;
        if let Some(remembered) = self.memory.recall(&token) {
            if !remembered.due_for_a_look() || self.lookups.find(token.id()).await?.is_some() {
                return Ok(remembered.caller());
            }
            self.memory.forget(&token);
            return Err(AuthError::Invalid);
        }
        // as of now is known what the row says, however long its verification then takes
        let looked_at = self.memory.now();
        let row = self.lookups.find(token.id()).await?.ok_or(AuthError::Invalid)?;
        if !self.memory.matches(&token, &row.hash, row.sieve).await? {
            return Err(AuthError::Invalid);
        }
        if row.sieve.is_none() {
            self.keep_sieve(&token, &row.hash).await?;
        }
        let caller = Arc::new(Principal {
            scope: token.id().to_string(),
            role: row.role,
            name: (row.name != row.actor).then(|| row.name.clone()),
            id: row.actor.clone(),
            teams: row.teams.iter().filter_map(|team| TeamId::parse(team).ok()).collect(),
        });
        self.memory.remember(&token, caller.clone(), looked_at);
        Ok(caller)
    }

    /// Whether no key has been made yet.
    pub async fn is_empty(&self) -> Result<bool, DeskError> {
        Ok(sqlx::query_scalar("select not exists (select from api_keys)").fetch_one(&self.pool).await?)
    }

    /// The teams of an agent, as far as keys tell. None: the agent has no key, or may act in every team.
    pub(crate) async fn teams_of(&self, agent: &str) -> Result<Option<BTreeSet<TeamId>>, DeskError> {
        let keys = sqlx::query(
            "select role, teams from api_keys where actor = $1 and role <> 'requester' and revoked_at is null",
        )
        .bind(agent)
        .fetch_all(&self.pool)
        .await?;
        let mut teams = BTreeSet::new();
        for key in &keys {
            if key.try_get::<&str, _>(0)? != Role::Agent.as_str() {
                return Ok(None);
            }
            teams.extend(key.try_get::<Vec<String>, _>(1)?.iter().filter_map(|team| TeamId::parse(team).ok()));
        }
        Ok((!keys.is_empty()).then_some(teams))
    }

    async fn keep_sieve(&self, token: &Token, hash: &str) -> Result<(), AuthError> {
        sqlx::query("update api_keys set sieve = $2 where id = $1 and hash = $3")
            .bind(token.id().as_str())
            .bind(sieve(hash, token))
            .bind(hash)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// The keys with these ids that are not revoked.
async fn rows(pool: &PgPool, ids: &[&str]) -> Result<HashMap<String, Arc<Row>>, sqlx::Error> {
    let rows = sqlx::query(
        "select id, role, name, actor, teams, hash, sieve from api_keys where id = any($1) and revoked_at is null",
    )
    .bind(ids)
    .fetch_all(pool)
    .await?;
    let read = |row: &PgRow| {
        let found = Row {
            role: row.try_get::<&str, _>(1)?.parse().map_err(|_| unreadable("role"))?,
            name: row.try_get(2)?,
            actor: row.try_get(3)?,
            teams: row.try_get(4)?,
            hash: row.try_get(5)?,
            sieve: row.try_get(6)?,
        };
        Ok((row.try_get(0)?, Arc::new(found)))
    };
    rows.iter().map(read).collect()
}

fn unreadable(column: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("api_keys.{column}").into())
}
