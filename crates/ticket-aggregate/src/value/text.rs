//! Short texts that name something.

use shared_kernel::short_text;

short_text! {
    /// A tag on a ticket. Tags differ by case.
    Tag("tag", 100);
    /// The way by which a ticket came: `api`, `email`, `web`, `import`, …
    Channel("channel", 64);
    /// How a ticket was resolved: `solved`, `workaround`, …
    ResolutionCode("resolution code", 100);
}

impl Default for Channel {
    /// `api`.
    fn default() -> Self {
        Self("api".to_owned())
    }
}

/// The code of a resolution that the requester declared; agents can't use it.
const CONFIRMED_BY_REQUESTER: &str = "confirmed_by_requester";

impl ResolutionCode {
    /// The code that a requester's confirmation records.
    pub fn confirmed_by_requester() -> Self {
        Self(CONFIRMED_BY_REQUESTER.to_owned())
    }

    /// Whether the requester, and not an agent, declared the ticket solved.
    pub fn is_confirmed_by_requester(&self) -> bool {
        self.0 == CONFIRMED_BY_REQUESTER
    }
}
