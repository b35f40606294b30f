//! The values that commands and events are made of.

mod id;
mod text;
mod vocabulary;

pub use id::{MessageId, TicketNumber};
pub use text::{Channel, ResolutionCode, Tag};
pub use vocabulary::{AssignmentMethod, ClosedReason, DueKind, LinkKind, Priority, Status, Trigger};
