//! The values that commands and events are made of. The words are stored and sent: they are frozen.

use shared_kernel::{short_text, string_enum};

short_text! {
    /// Something that an agent can do, such as a language. Skills differ by case.
    Skill("skill", 100);
}

string_enum! {
    /// Whether an agent is at work.
    Presence("presence") {
        /// Is a candidate for new tickets.
        Online = "online",
        /// Keeps their tickets; is no candidate for new ones.
        Away = "away",
        /// Not at work: neither keeps tickets nor gets any.
        Offline = "offline",
    }
}

string_enum! {
    /// Why a slot may exceed the capacity.
    Override("override") {
        /// Somebody assigned the ticket by hand.
        Manual = "manual",
        /// The agent's own ticket became active again.
        Returned = "returned",
    }
}
