//! What one can ask of a person's record.

use std::collections::BTreeSet;

use shared_kernel::{IdentityId, PersonId, string_enum};

use crate::value::{IdentityValue, PersonName};

/// An intent, that [`decide`](shared_kernel::Aggregate::decide) may refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Make the person known.
    Register {
        /// What they are called.
        name: Option<PersonName>,
        /// At most 100, numbered in this order; repeated ones are passed over.
        identities: Vec<IdentityValue>,
    },
    /// Change what they are called.
    Rename {
        /// None: they have no name any more.
        name: Option<PersonName>,
    },
    /// Add an identity.
    AddIdentity {
        /// One that the person has already records nothing.
        value: IdentityValue,
    },
    /// Remove an identity.
    RemoveIdentity {
        /// Its number; one that was removed before records nothing.
        identity: IdentityId,
    },
    /// Merge this person into another. The other's [`ReceiveMerge`](Self::ReceiveMerge) belongs into the same unit.
    MergeInto {
        /// The other.
        into: PersonId,
    },
    /// Take in a person who is merged into this one.
    ReceiveMerge {
        /// Who.
        source: PersonId,
        /// The people who were merged into them before.
        includes: BTreeSet<PersonId>,
    },
    /// Block the person.
    Block {
        /// 1 to 1,000 characters.
        reason: String,
    },
    /// End the block.
    Unblock,
}

string_enum! {
    /// The name of a command.
    CommandKind("command") {
        /// See [`Command::Register`].
        Register = "register",
        /// See [`Command::Rename`].
        Rename = "rename",
        /// See [`Command::AddIdentity`].
        AddIdentity = "add-identity",
        /// See [`Command::RemoveIdentity`].
        RemoveIdentity = "remove-identity",
        /// See [`Command::MergeInto`].
        MergeInto = "merge-into",
        /// See [`Command::ReceiveMerge`].
        ReceiveMerge = "receive-merge",
        /// See [`Command::Block`].
        Block = "block",
        /// See [`Command::Unblock`].
        Unblock = "unblock",
    }
}

impl Command {
    /// Its name.
    pub const fn kind(&self) -> CommandKind {
        match self {
            Self::Register { .. } => CommandKind::Register,
            Self::Rename { .. } => CommandKind::Rename,
            Self::AddIdentity { .. } => CommandKind::AddIdentity,
            Self::RemoveIdentity { .. } => CommandKind::RemoveIdentity,
            Self::MergeInto { .. } => CommandKind::MergeInto,
            Self::ReceiveMerge { .. } => CommandKind::ReceiveMerge,
            Self::Block { .. } => CommandKind::Block,
            Self::Unblock => CommandKind::Unblock,
        }
    }
}
