//! The values that commands and events are made of.

mod id;
mod text;
mod vocabulary;

pub use id::{MessageId, TicketId, TicketNumber};
pub use text::{Channel, ResolutionCode, Tag};
pub use vocabulary::{AssignmentMethod, ClosedReason, LinkKind, Priority, Status, Trigger};
