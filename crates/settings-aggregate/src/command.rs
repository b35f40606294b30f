//! What one can ask of a setting.

use shared_kernel::{Handle, string_enum};

use crate::kind::Kind;
use crate::setting::SettingName;

/// An intent, that [`decide`](shared_kernel::Aggregate::decide) may refuse.
#[derive(Clone, Debug, PartialEq)]
pub enum Command<K: Kind> {
    /// Create the setting.
    Create {
        /// The caller sees to its uniqueness, by the alias of the log.
        handle: Handle,
        /// What it is called.
        name: SettingName,
        /// What is set.
        document: K::Document,
    },
    /// Change its name, its document, or both.
    Revise {
        /// None: as it is.
        name: Option<SettingName>,
        /// The whole new document. None: as it is.
        document: Option<K::Document>,
    },
    /// Take it out of use for good.
    Retire,
}

string_enum! {
    /// The name of a command.
    CommandKind("command") {
        /// See [`Command::Create`].
        Create = "create",
        /// See [`Command::Revise`].
        Revise = "revise",
        /// See [`Command::Retire`].
        Retire = "retire",
    }
}

impl<K: Kind> Command<K> {
    /// Its name.
    pub const fn kind(&self) -> CommandKind {
        match self {
            Self::Create { .. } => CommandKind::Create,
            Self::Revise { .. } => CommandKind::Revise,
            Self::Retire => CommandKind::Retire,
        }
    }
}
