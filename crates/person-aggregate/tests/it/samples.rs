//! One event of every type and one command of every kind.

use person_aggregate::{Command, CommandKind, Event};
use shared_kernel::IdentityId;
use shared_kernel::testing::person;

use crate::scenario::{
    added, blocked, email, external, merge_received, merged, name, oidc, people, registered, removed, renamed,
    unblocked,
};

/// In the order of `Event::TYPES`, with every member filled.
pub(crate) fn events() -> Vec<Event> {
    vec![
        registered(),
        added(1, email("Rita@Example.com")),
        removed(1),
        renamed(name("Rita"), name("Rita \"R\" Örn")),
        merged("ria"),
        merge_received("ria", &["ria.old", "rita.old"]),
        blocked(),
        unblocked(),
    ]
}

/// An addition of every kind of identity; the golden files hold them under these names.
pub(crate) fn additions() -> Vec<(&'static str, Event)> {
    vec![
        ("person.identity_added.oidc", added(2, oidc("https://id.example.com/realms/a", "auth0|4f \"x\""))),
        ("person.identity_added.external", added(3, external("KD-1042 / Örn"))),
    ]
}

pub(crate) fn command(kind: CommandKind) -> Command {
    match kind {
        CommandKind::Register => Command::Register { name: name("Rita"), identities: vec![email("rita@example.com")] },
        CommandKind::Rename => Command::Rename { name: name("Ria") },
        CommandKind::AddIdentity => Command::AddIdentity { value: external("KD-1042") },
        CommandKind::RemoveIdentity => Command::RemoveIdentity { identity: IdentityId(1) },
        CommandKind::MergeInto => Command::MergeInto { into: person("ria") },
        CommandKind::ReceiveMerge => Command::ReceiveMerge { source: person("ria"), includes: people(&["old"]) },
        CommandKind::Block => Command::Block { reason: "insults".to_owned() },
        CommandKind::Unblock => Command::Unblock,
    }
}
