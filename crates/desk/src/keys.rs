//! API keys: who calls (docs/adr/0006, 0023).

mod audit;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod lookup;
mod memory;
mod owner;
mod record;
mod remembered;
mod secrets;
mod token;

use std::sync::Arc;

use agent_aggregate::Agent;
use chrono::{DateTime, TimeDelta, Utc};
use eventsourcing::{Executor, Records};
use eventstore::EventStore;
use person_aggregate::Person;
use shared_kernel::{Principal, Role};
use sqlx::PgPool;
use tokio::sync::OwnedMutexGuard;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::execute::record::RecordCommands;
use crate::{Call, DeskError};
use lookup::Lookups;
use memory::{Memory, sieve};
use record::KeyCommand;
use remembered::{Recall, Remembered};
use secrets::{SecretRow, fingerprint};
use token::Token;

pub(crate) use audit::SecretsOfEvents;
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
    records: Records<Key>,
    agents: Records<Agent>,
    people: Records<Person>,
    memory: Arc<Memory>,
    lookups: Arc<Lookups>,
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
    /// The owner's name: an agent's handle, a person's address; their id, if they have none.
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
            records: Records::new(store.clone(), CACHED_BYTES),
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
        let key = self.records.current(id.record()).await?.ok_or(KeyRejection::NotCreated)?;
        if key.state.revoked_at.is_some() {
            return Err(KeyRejection::Revoked.into());
        }
        if key.state.expires_at.is_some_and(|end| end <= call.now) {
            return Err(KeyRejection::Expired.into());
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

    /// Executes a command of which the token that goes with it is the answer, and was not given to anybody before.
    async fn execute(&self, id: &KeyId, command: KeyCommand, call: Call, creates: bool) -> Result<(), DeskError> {
        let envelope = call.envelope();
        let gives_token = !matches!(command, KeyCommand::Revoke);
        let mut commands = RecordCommands::<Key>::new(&self.records, id.record(), vec![command], (), call, creates);
        let done = self.executor.execute(&mut commands, &envelope).await?;
        if gives_token && done.replayed.is_some() {
            return Err(KeyRejection::TokenShownBefore.into());
        }
        Ok(())
    }

    /// All keys, the oldest first.
    pub async fn list(&self) -> Result<Vec<ApiKey>, DeskError> {
        let mut keys = Vec::new();
        for id in secrets::keys(&self.pool).await? {
            let Some(key) = self.records.current(id.record()).await? else { continue };
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
            return match remembered.recall().await {
                Recall::Known(caller) => Ok(caller),
                Recall::Check(turn) => self.check(token, remembered, turn, now).await,
                Recall::Unknown => Err(AuthError::Busy),
            };
        }
        let secret = self.prove(&token, now).await?;
        // however long the proof took, as of now is known what the records say
        let looked_at = self.memory.now();
        let caller = self.look(token.id(), secret, now).await?;
        self.memory.remember(&token, secret, caller.clone(), looked_at);
        Ok(caller)
    }

    /// Asks the log who calls with a remembered key. The answer is taken over also when nobody waits for it any more.
    async fn check(
        &self,
        token: Token,
        remembered: Arc<Remembered>,
        turn: OwnedMutexGuard<()>,
        now: DateTime<Utc>,
    ) -> Result<Arc<Principal>, AuthError> {
        let (keys, known) = (self.clone(), remembered.clone());
        let check = async move {
            let _turn = turn;
            let began = keys.memory.now();
            let caller = keys.look(token.id(), known.secret, now).await;
            match &caller {
                Ok(caller) => known.update(caller.clone(), began),
                Err(AuthError::Invalid | AuthError::Blocked) => keys.memory.forget(&token),
                Err(error) => tracing::warn!(%error, key = %token.id(), "a remembered key can't be checked"),
            }
            caller
        };
        match Remembered::wait(tokio::spawn(check.in_current_span())).await {
            Some(found @ (Ok(_) | Err(AuthError::Invalid | AuthError::Blocked))) => found,
            Some(Err(_)) | None => remembered.give_up().ok_or(AuthError::Busy),
        }
    }

    /// Who calls with that secret of a key, by what the log says at this moment.
    async fn look(&self, id: &KeyId, secret: i32, now: DateTime<Utc>) -> Result<Arc<Principal>, AuthError> {
        match self.records.current(id.record()).await? {
            Some(key) if key.state.accepts(secret, now) => self.principal(id, &key.state).await,
            _ => Err(AuthError::Invalid),
        }
    }

    /// The secret that the token has.
    async fn prove(&self, token: &Token, now: DateTime<Utc>) -> Result<i32, AuthError> {
        let secrets = self.lookups.find(token.id()).await?;
        if secrets.is_empty() {
            return Err(AuthError::Invalid);
        }
        let key = self.records.recent(token.id().record()).await?.ok_or(AuthError::Invalid)?;
        for secret in &*secrets {
            let Some(number) = key.state.accepted(&fingerprint(&secret.hash), now) else { continue };
            if self.memory.matches(token, &secret.hash, secret.sieve).await? {
                return Ok(number);
            }
        }
        Err(AuthError::Invalid)
    }

    /// Whether no key has been made yet.
    pub async fn is_empty(&self) -> Result<bool, DeskError> {
        for id in secrets::keys(&self.pool).await? {
            if self.records.recent(id.record()).await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Keeps the hash of a secret, and gives its fingerprint. One that no event comes to name proves nothing.
    async fn keep_secret(&self, token: &Token, now: DateTime<Utc>) -> Result<String, DeskError> {
        let hash = self.memory.hash(token).await?;
        let secret = SecretRow { sieve: sieve(&hash, token), hash };
        secrets::insert(&self.pool, token.id(), &secret, now).await?;
        Ok(fingerprint(&secret.hash))
    }
}
