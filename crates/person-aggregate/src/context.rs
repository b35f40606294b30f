//! What a decision needs to know that is not in the person's own events.

use shared_kernel::PersonId;

/// The facts of the moment at which a command is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The person whose stream it is: personal text in its events is theirs.
    pub person_id: PersonId,
}
