//! What tells one kind of setting from another.

use std::fmt::{self, Debug, Display};
use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared_kernel::EventType;
use uuid::Uuid;

/// A kind of setting: teams, calendars, webhooks.
///
/// Every bound that the generic code needs stands here, so that `K: Kind` is enough elsewhere.
pub trait Kind: Copy + Debug + Eq + Send + Sync + 'static {
    /// The stream type, and the prefix of its event types: `team`.
    const NAME: &'static str;
    /// The version of the stored form of a [`Setting`](crate::Setting) of this kind. Raise it with every change of that form,
    /// the document's included.
    const STATE_SCHEMA: i16;
    /// The type of [`Created`](crate::Created): `team.created`.
    const CREATED: EventType;
    /// The type of [`Revised`](crate::Revised): `team.revised`.
    const REVISED: EventType;
    /// The type of [`Event::Retired`](crate::Event::Retired): `team.retired`.
    const RETIRED: EventType;
    /// The scope of the aliases that make handles unique: `team-handle`.
    const HANDLE_SCOPE: &'static str;

    /// Names one setting; its uuid is the stream's.
    type Id: Copy + Eq + Hash + Debug + Display + Send + Sync + From<Uuid> + Into<Uuid>;
    /// What is set. Its serde form is stored in events: a change of it needs new schema versions of [`CREATED`](Self::CREATED)
    /// and [`REVISED`](Self::REVISED). It should refuse unknown members.
    type Document: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// The JSON Schema of the document (draft 2020-12). Whatever passes [`check`](Self::check) passes it as well.
    fn schema() -> Value;

    /// Whether a document is sound in itself.
    ///
    /// # Errors
    /// What is wrong with it, at least one fault.
    fn check(document: &Self::Document) -> Result<(), Vec<Fault>>;

    /// How many bytes a document takes on the heap, roughly.
    fn size_of(document: &Self::Document) -> usize;
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where: a JSON Pointer into the document (RFC 6901), such as `/description`.
    pub pointer: String,
    /// What, as a phrase that says what to do.
    pub detail: String,
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the document" } else { &self.pointer };
        write!(f, "{place} {}", self.detail)
    }
}
