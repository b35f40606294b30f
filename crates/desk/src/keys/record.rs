//! An API key as a record: made, rotated, revoked. What proves it, the hash of its secret, stands in a table of its own;
//! events name the secret by number and fingerprint.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared_kernel::{AgentId, Aggregate, DomainEvent, EventType, PersonId, Role, Stamp, string_enum, uuid_id};

uuid_id! {
    /// An API key, by the id of its stream.
    ApiKeyId;
}

string_enum! {
    /// What a key may be used for beyond its owner's own rights.
    Scope("scope") {
        /// To act as any person who asks: for a product's server that speaks for its users.
        ActForOthers = "act-for-others",
    }
}

/// As whom a key acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// An agent, a lead or an admin.
    Agent(AgentId),
    /// A person who asks.
    Person(PersonId),
}

/// A secret of a key, known by its number: 1 for the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// 1 for the first.
    pub number: i32,
    /// The SHA-256 of the stored hash, in hexadecimal: it says whether the row is the one that was written.
    pub fingerprint: String,
}

/// The fold of a key's events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyState {
    /// What it is for.
    pub label: Option<String>,
    /// What its owner may do.
    pub role: Role,
    /// As whom it acts.
    pub owner: Owner,
    /// What it may be used for beyond its owner's own rights.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// From when it is refused.
    pub expires_at: Option<DateTime<Utc>>,
    /// Since when it is refused for good.
    pub revoked_at: Option<DateTime<Utc>>,
    /// The fingerprints of all secrets, by number, with the time from which each is refused; none for the newest one.
    pub secrets: BTreeMap<i32, (String, Option<DateTime<Utc>>)>,
}

impl KeyState {
    /// Whether the key is accepted at that time with that secret.
    pub(crate) fn accepts(&self, secret: i32, now: DateTime<Utc>) -> bool {
        let before = |end: Option<DateTime<Utc>>| end.is_none_or(|end| now < end);
        self.revoked_at.is_none()
            && before(self.expires_at)
            && self.secrets.get(&secret).is_some_and(|(_, until)| before(*until))
    }

    /// The number of the secret with that fingerprint, if it is accepted at that time.
    pub(crate) fn accepted(&self, fingerprint: &str, now: DateTime<Utc>) -> Option<i32> {
        let (number, _) = self.secrets.iter().find(|(_, (known, _))| known == fingerprint)?;
        self.accepts(*number, now).then_some(*number)
    }

    fn newest(&self) -> i32 {
        self.secrets.keys().next_back().copied().unwrap_or_default()
    }
}

/// What one can ask of a key.
#[derive(Debug)]
pub enum KeyCommand {
    Create {
        label: Option<String>,
        role: Role,
        owner: Owner,
        scopes: Vec<Scope>,
        expires_at: Option<DateTime<Utc>>,
        fingerprint: String,
    },
    /// A new secret; the one before it is accepted until then.
    Rotate {
        number: i32,
        fingerprint: String,
        previous_until: DateTime<Utc>,
    },
    Revoke,
}

/// What can have happened to a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum KeyEvent {
    /// Somebody got a key.
    #[serde(rename = "api_key.created")]
    Created {
        /// What it is for.
        label: Option<String>,
        /// What its owner may do.
        role: Role,
        /// As whom it acts.
        owner: Owner,
        /// What it may be used for beyond its owner's own rights.
        scopes: Vec<Scope>,
        /// From when it is refused.
        expires_at: Option<DateTime<Utc>>,
        /// Its first secret.
        secret: Secret,
    },
    /// The key has a new secret.
    #[serde(rename = "api_key.rotated")]
    Rotated {
        /// The new one.
        secret: Secret,
        /// From when the others are refused.
        previous_until: DateTime<Utc>,
    },
    /// The key is refused from now on.
    #[serde(rename = "api_key.revoked")]
    Revoked {},
}

/// Why a key's command was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRejection {
    /// There is such a key already.
    #[error("the key exists already")]
    AlreadyCreated,
    /// There is no such key.
    #[error("there is no such key")]
    NotCreated,
    /// It is over with that key.
    #[error("the key is revoked; create another one")]
    Revoked,
    /// It is over with that key.
    #[error("the key has expired; create another one")]
    Expired,
    /// Somebody else rotated it meanwhile.
    #[error("the key was rotated by somebody else at the same time; try again")]
    RotatedMeanwhile,
    /// The request was executed before; its first answer alone had the token.
    #[error("the token was shown in the first answer to this request; rotate the key to get another one")]
    TokenShownBefore,
}

impl crate::execute::record::Named for Key {
    const NOUN: &'static str = "API key";

    fn aliases(_: &KeyState) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

impl KeyRejection {
    /// A stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AlreadyCreated => "already_created",
            Self::NotCreated => "not_created",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::RotatedMeanwhile => "rotated_meanwhile",
            Self::TokenShownBefore => "token_shown_before",
        }
    }
}

/// An API key.
#[derive(Debug)]
pub struct Key;

impl DomainEvent for KeyEvent {
    const TYPES: &'static [EventType] =
        &[EventType::new("api_key.created"), EventType::new("api_key.rotated"), EventType::new("api_key.revoked")];

    fn event_type(&self) -> &'static str {
        match self {
            Self::Created { .. } => "api_key.created",
            Self::Rotated { .. } => "api_key.rotated",
            Self::Revoked {} => "api_key.revoked",
        }
    }
}

impl Aggregate for Key {
    const TYPE: &'static str = "api_key";
    const STATE_SCHEMA: i16 = 1;

    type Id = ApiKeyId;
    type State = KeyState;
    type Command = KeyCommand;
    type Event = KeyEvent;
    type Context = ();
    type Rejection = KeyRejection;

    fn decide(key: Option<&KeyState>, command: &KeyCommand, (): &()) -> Result<Vec<KeyEvent>, KeyRejection> {
        match (key, command) {
            (None, KeyCommand::Create { label, role, owner, scopes, expires_at, fingerprint }) => {
                let secret = Secret { number: 1, fingerprint: fingerprint.clone() };
                Ok(vec![KeyEvent::Created {
                    label: label.clone(),
                    role: *role,
                    owner: *owner,
                    scopes: scopes.clone(),
                    expires_at: *expires_at,
                    secret,
                }])
            }
            (Some(_), KeyCommand::Create { .. }) => Err(KeyRejection::AlreadyCreated),
            (None, _) => Err(KeyRejection::NotCreated),
            (Some(key), KeyCommand::Revoke) if key.revoked_at.is_some() => Ok(Vec::new()),
            (Some(_), KeyCommand::Revoke) => Ok(vec![KeyEvent::Revoked {}]),
            (Some(key), KeyCommand::Rotate { .. }) if key.revoked_at.is_some() => Err(KeyRejection::Revoked),
            (Some(key), KeyCommand::Rotate { number, .. }) if *number != key.newest() + 1 => {
                Err(KeyRejection::RotatedMeanwhile)
            }
            (Some(_), KeyCommand::Rotate { number, fingerprint, previous_until }) => Ok(vec![KeyEvent::Rotated {
                secret: Secret { number: *number, fingerprint: fingerprint.clone() },
                previous_until: *previous_until,
            }]),
        }
    }

    fn evolve(key: Option<KeyState>, event: &KeyEvent, stamp: &Stamp) -> Option<KeyState> {
        match (key, event) {
            (None, KeyEvent::Created { label, role, owner, scopes, expires_at, secret }) => Some(KeyState {
                label: label.clone(),
                role: *role,
                owner: *owner,
                scopes: scopes.clone(),
                created_at: stamp.occurred_at,
                expires_at: *expires_at,
                revoked_at: None,
                secrets: BTreeMap::from([(secret.number, (secret.fingerprint.clone(), None))]),
            }),
            (None, _) => None,
            (Some(mut key), KeyEvent::Rotated { secret, previous_until }) => {
                for (_, until) in key.secrets.values_mut() {
                    *until = Some(until.map_or(*previous_until, |until| until.min(*previous_until)));
                }
                key.secrets.insert(secret.number, (secret.fingerprint.clone(), None));
                Some(key)
            }
            (Some(mut key), KeyEvent::Revoked {}) => {
                key.revoked_at = Some(key.revoked_at.unwrap_or(stamp.occurred_at));
                Some(key)
            }
            (Some(key), KeyEvent::Created { .. }) => Some(key),
        }
    }
}

#[cfg(test)]
mod tests;
