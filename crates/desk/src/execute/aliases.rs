//! The aliases of a ticket: its number, and the id that it has where it came from. Both follow from the first event, so
//! that the audit can derive them.

use sha2::{Digest, Sha256};
use shared_kernel::{ActorKind, ActorRef};
use ticket_aggregate::{Channel, TicketNumber};

/// The scope of the aliases that name tickets by number.
pub(crate) const NUMBER_SCOPE: &str = "ticket-number";

/// A number as an alias.
pub(crate) fn number_alias(number: TicketNumber) -> String {
    number.get().to_string()
}

/// What a ticket takes when it is opened (scope, name).
///
/// Source ids are unique within a channel. Those of requesters are within the requester's own, so that nobody can bar an
/// import or a mail, or find out what is there.
pub(crate) fn opening_aliases(
    number: TicketNumber,
    channel: &Channel,
    source_id: Option<&str>,
    opener: &ActorRef,
) -> Vec<(String, String)> {
    let mut aliases = vec![(NUMBER_SCOPE.to_owned(), number_alias(number))];
    if let Some(source_id) = source_id {
        let scope = match opener.kind {
            ActorKind::Requester => format!("requester-source:{}:{channel}", opener.id),
            ActorKind::Agent | ActorKind::System => format!("source:{channel}"),
        };
        aliases.push((scope, indexable(source_id)));
    }
    aliases
}

/// PostgreSQL indexes rows of up to 2,704 bytes, and a thousand characters may have 4,000: a long name is known by its
/// digest.
fn indexable(name: &str) -> String {
    const LONGEST: usize = 1_024;
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let digest = Sha256::digest(name);
    digest.iter().fold(String::from("sha256:"), |text, byte| text + &format!("{byte:02x}"))
}
