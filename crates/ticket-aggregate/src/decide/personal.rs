//! Whose words an event keeps.

use shared_kernel::{Actor, ActorKind, PersonId, Personal};

/// What the actor wrote on a ticket of that requester.
///
/// Requesters' words are their own. What staff write is about the requester; without one, it is their own too.
pub(super) fn words<T>(requester: Option<PersonId>, actor: &Actor, text: T) -> Personal<T> {
    let of = match actor.kind() {
        ActorKind::Requester => actor.person(),
        ActorKind::Agent | ActorKind::System => requester.or(actor.person()),
    };
    Personal::new(of, text)
}
