//! The types of a person's events and the history of their shapes. Each version of each type has a golden file in
//! `tests/golden`.

use serde::{Deserialize, Serialize};
use shared_kernel::{DomainEvent, EmailAddress, EventType, IdentityId, Personal};

use crate::event::{Event, IdentityAdded};
use crate::value::{ExternalName, IdentityError, IdentityKind, IdentityValue, OidcAccount};

impl DomainEvent for Event {
    const TYPES: &'static [EventType] = &[
        EventType::new("person.registered"),
        EventType::new("person.identity_added"),
        EventType::new("person.identity_removed"),
        EventType::new("person.renamed"),
        EventType::new("person.merged"),
        EventType::new("person.merge_received"),
        EventType::new("person.blocked"),
        EventType::new("person.unblocked"),
    ];

    fn event_type(&self) -> &'static str {
        self.name()
    }
}

/// The payload of `person.identity_added`: the kind stays readable where `personal` is sealed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredIdentity {
    identity: IdentityId,
    kind: IdentityKind,
    personal: Personal<PersonalValue>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonalValue {
    value: StoredValue,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredValue {
    Text(String),
    Account(OidcAccount),
}

/// Why a payload holds no identity.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoredIdentityError {
    #[error("the value of an identity of kind {0} has another form")]
    OtherForm(IdentityKind),
    #[error(transparent)]
    Value(#[from] IdentityError),
}

impl TryFrom<StoredIdentity> for IdentityAdded {
    type Error = StoredIdentityError;

    fn try_from(stored: StoredIdentity) -> Result<Self, StoredIdentityError> {
        let Personal { of, text: PersonalValue { value } } = stored.personal;
        let text = match (stored.kind, value) {
            (IdentityKind::Email, StoredValue::Text(text)) => {
                IdentityValue::Email(EmailAddress::parse(&text).map_err(IdentityError::from)?)
            }
            (IdentityKind::External, StoredValue::Text(text)) => {
                IdentityValue::External(ExternalName::parse(&text).map_err(IdentityError::from)?)
            }
            (IdentityKind::Oidc, StoredValue::Account(account)) => IdentityValue::Oidc(account),
            (kind, _) => return Err(StoredIdentityError::OtherForm(kind)),
        };
        Ok(Self { identity: stored.identity, personal: Personal { of, text } })
    }
}

impl From<IdentityAdded> for StoredIdentity {
    fn from(added: IdentityAdded) -> Self {
        let IdentityAdded { identity, personal: Personal { of, text } } = added;
        let kind = text.kind();
        let value = match text {
            IdentityValue::Email(address) => StoredValue::Text(address.into()),
            IdentityValue::External(name) => StoredValue::Text(name.into()),
            IdentityValue::Oidc(account) => StoredValue::Account(account),
        };
        Self { identity, kind, personal: Personal { of, text: PersonalValue { value } } }
    }
}
