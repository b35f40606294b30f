//! How long the texts of a ticket may be, in characters (Unicode scalar values).

/// A subject.
pub const SUBJECT: usize = 300;
/// The body of an opening, a reply or a note.
pub const BODY: usize = 65_536;
/// The reason of a hold, a reopening, a change of priority or requester.
pub const REASON: usize = 1_000;
/// A category.
pub const CATEGORY: usize = 100;
/// A message's id where it came from.
pub const SOURCE_ID: usize = 1_000;
/// How many tags a ticket may have.
pub const TAGS: usize = 100;
/// How many may follow a ticket.
pub const FOLLOWERS: usize = 100;
/// How many links a ticket may have, of all kinds together.
pub const LINKS: usize = 100;
