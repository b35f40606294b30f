//! The values that commands and events are made of.

use std::fmt;

use serde::{Deserialize, Serialize};
use shared_kernel::text::line;
use shared_kernel::{EmailAddress, ValueError, short_text, string_enum};

use crate::limits;

short_text! {
    /// What a person is called.
    PersonName("name", 200);
    /// What a person is called in another system: a customer number, a login.
    ExternalName("external identity", 200);
}

string_enum! {
    /// The kind of an identity.
    IdentityKind("identity kind") {
        /// An e-mail address.
        Email = "email",
        /// An account at an OIDC provider.
        Oidc = "oidc",
        /// A name in another system.
        External = "external",
    }
}

impl IdentityKind {
    /// The scope of its aliases in the log.
    pub const fn scope(self) -> &'static str {
        match self {
            Self::Email => "person-email",
            Self::Oidc => "person-oidc",
            Self::External => "person-external",
        }
    }
}

/// By what a person is known. Two addresses with the same [key](EmailAddress::key) are the same identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case", deny_unknown_fields)]
pub enum IdentityValue {
    /// An e-mail address.
    Email(EmailAddress),
    /// An account at an OIDC provider.
    Oidc(OidcAccount),
    /// A name in another system.
    External(ExternalName),
}

impl IdentityValue {
    /// E-mail address, account or external name.
    pub const fn kind(&self) -> IdentityKind {
        match self {
            Self::Email(_) => IdentityKind::Email,
            Self::Oidc(_) => IdentityKind::Oidc,
            Self::External(_) => IdentityKind::External,
        }
    }

    /// Scope and name of the alias that leads from the identity to its person.
    pub fn alias(&self) -> (&'static str, String) {
        let name = match self {
            Self::Email(address) => address.key().to_owned(),
            Self::Oidc(account) => account.to_string(),
            Self::External(name) => name.to_string(),
        };
        (self.kind().scope(), name)
    }

    /// How many bytes of text it holds.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Email(address) => address.as_str().len() + address.key().len(),
            Self::Oidc(account) => account.issuer.len() + account.subject.len(),
            Self::External(name) => name.as_str().len(),
        }
    }
}

/// Why a text is not an identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// A part of it is not a valid line of text.
    #[error(transparent)]
    Text(#[from] ValueError),
    /// White space that would make two accounts look like one.
    #[error("{what} has white space at its beginning or end, or within an issuer; remove it")]
    WhiteSpace {
        /// Which part.
        what: &'static str,
    },
}

/// An account at an OIDC provider: the pair of issuer and subject, both compared byte by byte (OIDC
/// Core 1.0, 5.7).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "StoredAccount", into = "StoredAccount")]
pub struct OidcAccount {
    issuer: String,
    subject: String,
}

impl OidcAccount {
    /// An issuer without white space and a subject, each of at most 255 characters.
    ///
    /// # Errors
    /// If one of them is not of that form. Nothing is trimmed: another spelling is another account.
    pub fn parse(issuer: &str, subject: &str) -> Result<Self, IdentityError> {
        let (issuer, subject) = (exact("issuer", limits::ISSUER, issuer)?, exact("subject", limits::SUBJECT, subject)?);
        // the alias is both with a space between them
        if issuer.contains(char::is_whitespace) {
            return Err(IdentityError::WhiteSpace { what: "issuer" });
        }
        Ok(Self { issuer, subject })
    }

    /// Who vouches for it: an `https` URL.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Its id at the issuer.
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

fn exact(what: &'static str, limit: usize, text: &str) -> Result<String, IdentityError> {
    let trimmed = line(what, limit, text)?;
    if trimmed == text { Ok(trimmed) } else { Err(IdentityError::WhiteSpace { what }) }
}

impl fmt::Display for OidcAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.issuer, self.subject)
    }
}

/// An account as JSON has it, not checked yet.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredAccount {
    issuer: String,
    subject: String,
}

impl TryFrom<StoredAccount> for OidcAccount {
    type Error = IdentityError;

    fn try_from(stored: StoredAccount) -> Result<Self, IdentityError> {
        Self::parse(&stored.issuer, &stored.subject)
    }
}

impl From<OidcAccount> for StoredAccount {
    fn from(account: OidcAccount) -> Self {
        Self { issuer: account.issuer, subject: account.subject }
    }
}
