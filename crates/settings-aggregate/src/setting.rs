//! A setting: what its events add up to.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared_kernel::{Handle, StreamVersion, short_text};

use crate::kind::Kind;

short_text! {
    /// What a setting is called among people; its handle stays when the name changes.
    SettingName("name", 200);
}

/// The fold of a setting's events. Only [`evolve`](shared_kernel::Aggregate::evolve) makes one. Serde is for snapshots and
/// read models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Setting<K: Kind> {
    /// How many events its stream has, up to the last that was folded. What is decided under a setting names it.
    pub version: StreamVersion,
    /// When its last event happened.
    pub updated_at: DateTime<Utc>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// The name by which programs call it; it never changes.
    pub handle: Handle,
    /// The name by which people call it.
    pub name: SettingName,
    /// What is set.
    pub document: K::Document,
    /// Whether it is out of use for good. It keeps its handle.
    pub retired: bool,
}

impl<K: Kind> Setting<K> {
    /// The scope of the aliases that make the handles of this kind unique: `team-handle`.
    pub const fn handle_scope() -> &'static str {
        K::HANDLE_SCOPE
    }

    /// Scope and name of every alias of the log that it holds: its handle's.
    pub fn aliases(&self) -> impl Iterator<Item = (&'static str, String)> + use<K> {
        std::iter::once((K::HANDLE_SCOPE, self.handle.to_string()))
    }
}
