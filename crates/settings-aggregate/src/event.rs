//! What can have happened to a setting.

use serde::{Deserialize, Serialize};
use shared_kernel::Handle;

use crate::kind::Kind;
use crate::setting::SettingName;

/// A fact. Who caused it, when and why stand in the log's metadata, not here.
///
/// The serde form (`codec.rs`) is tagged by the kind's own names, `{"team.created": {…}}`.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<K: Kind> {
    /// The setting is there.
    Created(Created<K>),
    /// Its name or its document changed.
    Revised(Revised<K>),
    /// It is out of use for good.
    Retired,
}

/// What a setting started with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "", deny_unknown_fields)]
pub struct Created<K: Kind> {
    /// The name by which programs call it.
    pub handle: Handle,
    /// The name by which people call it.
    pub name: SettingName,
    /// What is set.
    pub document: K::Document,
}

/// Name and document after a revision, both whole: each version can be read without the ones before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "", deny_unknown_fields)]
pub struct Revised<K: Kind> {
    /// The name by which people call it.
    pub name: SettingName,
    /// What is set.
    pub document: K::Document,
}

impl<K: Kind> Event<K> {
    /// The name on the wire; frozen.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Created(_) => K::CREATED.name,
            Self::Revised(_) => K::REVISED.name,
            Self::Retired => K::RETIRED.name,
        }
    }
}
