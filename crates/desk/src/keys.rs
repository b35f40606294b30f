//! API keys: who calls (docs/adr/0006, 0023). The one place with SQL for `api_key_secrets`.

mod audit;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod lookup;
mod memory;
mod owner;
mod record;
mod token;

use std::collections::HashMap;
use std::sync::Arc;

use agent_aggregate::Agent;
use chrono::{DateTime, TimeDelta, Utc};
use eventsourcing::{Executor, Records};
use eventstore::EventStore;
use person_aggregate::Person;
use sha2::{Digest, Sha256};
use shared_kernel::{Principal, Role};
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use crate::execute::record::RecordCommands;
use crate::{Call, DeskError};
use lookup::Lookups;
use memory::{Memory, sieve};
use record::KeyCommand;
use token::Token;

pub use record::{ApiKeyId, KeyEvent, KeyRejection, Owner, Scope};
pub use record::{Key, KeyState};
pub use token::KeyId;

/// Bytes of folded keys, agents and people that authentication keeps in memory, each.
const CACHED_BYTES: usize = 16 * 1024 * 1024;

/// Makes, verifies, lists, rotates and revokes keys. Cheap to clone; clones share what is remembered.
#[derive(Clone, Debug)]
pub struct Keys {
    pool: PgPool,
    executor: Executor,
    keys: Records<Key>,
    agents: Records<Agent>,
    people: Records<Person>,
    memory: Arc<Memory>,
    lookups: Arc<Lookups>,
}

/// What is stored of a secret.
#[derive(Debug)]
struct SecretRow {
    hash: String,
    sieve: i16,
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What its owner may do.
    pub role: Role,
    /// As whom it acts.
    pub owner: Owner,
    /// What it is for, to be read in lists.
    pub label: Option<String>,
    /// What it may be used for beyond its owner's own rights.
    pub scopes: Vec<Scope>,
    /// From when it is refused; never, if none.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key as it is listed: without its secret, which nobody has but its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The part of the token that is no secret.
    pub id: KeyId,
    /// What its owner may do.
    pub role: Role,
    /// What it is for.
    pub label: Option<String>,
    /// As whom it acts.
    pub owner: Owner,
    /// The owner's name: an agent's handle, a person's name or address.
    pub owner_name: String,
    /// An agent's teams.
    pub teams: Vec<shared_kernel::TeamId>,
    /// What it may be used for beyond its owner's own rights.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// From when it is refused.
    pub expires_at: Option<DateTime<Utc>>,
    /// Since when it is refused for good.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A new key, or a new secret of one. Its token is shown once.
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
    /// Not known, revoked, expired, or its secret is wrong.
    #[error("the API key is not valid")]
    Invalid,
    /// Its owner is blocked.
    #[error("the owner of the API key is blocked")]
    Blocked,
    /// Too many keys wait to be verified. Try again later.
    #[error("too many keys are being verified")]
    Busy,
    /// A stream that says what the owner may do can't be read.
    #[error(transparent)]
    Unreadable(eventsourcing::ExecuteError),
    /// The database.
    #[error(transparent)]
    Store(#[from] eventstore::StoreError),
}

impl From<sqlx::Error> for AuthError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<eventsourcing::ExecuteError> for AuthError {
    fn from(error: eventsourcing::ExecuteError) -> Self {
        match error {
            eventsourcing::ExecuteError::Store(error) => Self::Store(error),
            error => Self::Unreadable(error),
        }
    }
}

impl NewKey {
    /// A key of an agent, a lead or an admin.
    pub fn staff(role: Role, agent: shared_kernel::AgentId) -> Self {
        Self { role, owner: Owner::Agent(agent), label: None, scopes: Vec::new(), expires_at: None }
    }

    /// A key of a person who asks.
    pub fn requester(person: shared_kernel::PersonId) -> Self {
        let (role, owner) = (Role::Requester, Owner::Person(person));
        Self { role, owner, label: None, scopes: Vec::new(), expires_at: None }
    }
}

impl KeyId {
    /// The key's record.
    pub fn record(&self) -> ApiKeyId {
        ApiKeyId(Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("api_key:{self}").as_bytes()))
    }
}

impl Keys {
    /// Over a pool that nothing else has to wait for, and the log through it: who calls must be known also while other
    /// statements hang. `workers` is how many keys are verified at once. Starts a task on the current runtime.
    pub fn new(store: &EventStore, pool: PgPool, workers: usize) -> Self {
        Self {
            executor: Executor::new(store.clone()),
            keys: Records::new(store.clone(), CACHED_BYTES),
            agents: Records::new(store.clone(), CACHED_BYTES),
            people: Records::new(store.clone(), CACHED_BYTES),
            memory: Arc::new(Memory::new(workers)),
            lookups: Arc::new(Lookups::start(pool.clone())),
            pool,
        }
    }

    /// How often argon2id has been run to verify a key.
    pub fn verifications(&self) -> u64 {
        self.memory.verifications()
    }

    /// Makes a key.
    pub async fn create(&self, key: NewKey, call: Call) -> Result<MintedKey, DeskError> {
        let token = Token::mint();
        let fingerprint = self.keep_secret(&token, call.now).await?;
        let NewKey { role, owner, label, scopes, expires_at } = key;
        let command = KeyCommand::Create { label, role, owner, scopes, expires_at, fingerprint };
        self.execute(token.id(), command, call, true).await?;
        Ok(MintedKey { id: token.id().clone(), token: token.reveal() })
    }

    /// Gives a key a new secret. The one before it is accepted for as long as `overlap`, so that its user can change over.
    pub async fn rotate(&self, id: &KeyId, overlap: TimeDelta, call: Call) -> Result<MintedKey, DeskError> {
        let key = self.keys.current(id.record()).await?.ok_or(KeyRejection::NotCreated)?;
        if key.state.revoked_at.is_some() {
            return Err(KeyRejection::Revoked.into());
        }
        let token = Token::of(id.clone());
        let number = key.state.secrets.keys().next_back().copied().unwrap_or_default() + 1;
        let fingerprint = self.keep_secret(&token, call.now).await?;
        let previous_until = call.now.checked_add_signed(overlap).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let command = KeyCommand::Rotate { number, fingerprint, previous_until };
        self.execute(id, command, call, false).await?;
        Ok(MintedKey { id: id.clone(), token: token.reveal() })
    }

    /// Revokes a key; every instance refuses it within 5 s. One that was revoked before stays as it is.
    pub async fn revoke(&self, id: &KeyId, call: Call) -> Result<(), DeskError> {
        self.execute(id, KeyCommand::Revoke, call, false).await
    }

    async fn execute(&self, id: &KeyId, command: KeyCommand, call: Call, creates: bool) -> Result<(), DeskError> {
        let envelope = call.envelope();
        let mut commands = RecordCommands::<Key>::new(&self.keys, id.record(), vec![command], (), call, creates);
        self.executor.execute(&mut commands, &envelope).await.map(drop)
    }

    /// All keys, the oldest first.
    pub async fn list(&self) -> Result<Vec<ApiKey>, DeskError> {
        let ids = sqlx::query_scalar::<_, String>("select distinct key_id from api_key_secrets")
            .fetch_all(&self.pool)
            .await?;
        let mut keys = Vec::new();
        for id in ids {
            let id = KeyId::parse(&id).ok_or_else(|| unreadable("key_id"))?;
            // a secret without a record is one whose key was not made after all
            let Some(key) = self.keys.current(id.record()).await? else { continue };
            let KeyState { label, role, owner, ref scopes, created_at, expires_at, revoked_at, .. } = key.state.clone();
            let (owner_name, teams) = self.describe(owner).await?;
            let scopes = scopes.clone();
            keys.push(ApiKey { id, role, label, owner, owner_name, teams, scopes, created_at, expires_at, revoked_at });
        }
        keys.sort_by(|one, other| (one.created_at, one.id.as_str()).cmp(&(other.created_at, other.id.as_str())));
        Ok(keys)
    }

    /// Who calls with this token.
    pub async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Arc<Principal>, AuthError> {
        // the checksum first: what is mistyped costs nobody a query
        let token = Token::parse(token).ok_or(AuthError::Malformed)?;
        if let Some(remembered) = self.memory.recall(&token) {
            if !remembered.due_for_a_look() {
                return Ok(remembered.caller());
            }
            let caller = match self.keys.recent(token.id().record()).await? {
                Some(key) if key.state.accepts(remembered.secret, now) => self.principal(token.id(), &key.state).await,
                _ => Err(AuthError::Invalid),
            };
            match &caller {
                Ok(caller) => remembered.replace(caller.clone()),
                Err(AuthError::Invalid | AuthError::Blocked) => self.memory.forget(&token),
                Err(_) => {}
            }
            return caller;
        }
        // as of now is known what the record says, however long its verification then takes
        let looked_at = self.memory.now();
        let (secret, key) = self.prove(&token, now).await?;
        let caller = self.principal(token.id(), &key).await?;
        self.memory.remember(&token, secret, caller.clone(), looked_at);
        Ok(caller)
    }

    /// The secret that the token has, and the key.
    async fn prove(&self, token: &Token, now: DateTime<Utc>) -> Result<(i32, KeyState), AuthError> {
        let secrets = self.lookups.find(token.id()).await?;
        if secrets.is_empty() {
            return Err(AuthError::Invalid);
        }
        let key = self.keys.recent(token.id().record()).await?.ok_or(AuthError::Invalid)?;
        for secret in &*secrets {
            let Some(number) = key.state.accepted(&fingerprint(&secret.hash), now) else { continue };
            if self.memory.matches(token, &secret.hash, secret.sieve).await? {
                return Ok((number, key.state.clone()));
            }
        }
        Err(AuthError::Invalid)
    }

    /// Whether no key has been made yet.
    pub async fn is_empty(&self) -> Result<bool, DeskError> {
        Ok(sqlx::query_scalar("select not exists (select from api_key_secrets)").fetch_one(&self.pool).await?)
    }

    /// Keeps the hash of a secret, and gives its fingerprint. One that no event comes to name proves nothing.
    async fn keep_secret(&self, token: &Token, now: DateTime<Utc>) -> Result<String, DeskError> {
        let hash = self.memory.hash(token).await?;
        sqlx::query("insert into api_key_secrets (key_id, hash, sieve, created_at) values ($1, $2, $3, $4)")
            .bind(token.id().as_str())
            .bind(&hash)
            .bind(sieve(&hash, token))
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(fingerprint(&hash))
    }
}

/// Names a stored secret without helping to find it.
fn fingerprint(hash: &str) -> String {
    Sha256::digest(hash).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The secrets of the keys with these ids, the newest first.
async fn secrets(pool: &PgPool, ids: &[&str]) -> Result<HashMap<String, Arc<[SecretRow]>>, sqlx::Error> {
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

fn unreadable(column: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("api_key_secrets.{column}").into())
}
