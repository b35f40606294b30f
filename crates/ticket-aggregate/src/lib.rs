//! The rules of a ticket: commands, decisions, events, state. [`Ticket`] implements
//! [`Aggregate`](shared_kernel::Aggregate).
//!
//! The crate is pure: no I/O, no clock, no randomness. Whoever calls brings the time, the ids and the
//! facts that live outside of the ticket's own stream in a [`Context`].
//!
//! One table (`table.rs`) holds the state machine. `decide`, [`Ticket::allowed_commands`], [`legal_step`] and
//! the diagram in `docs/ticket-states.md` ([`mermaid`]) all read it.

pub mod limits;

mod aggregate;
mod codec;
mod command;
mod context;
mod decide;
mod diagram;
mod event;
mod evolve;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod legal;
mod public_view;
mod rejection;
mod table;
mod ticket;
mod value;
mod visibility;

pub use command::{Command, CommandKind, Open};
pub use context::Context;
pub use decide::permitted;
pub use diagram::{command_table, mermaid};
pub use event::{Event, Message, Opening, Recipient, SubjectChange, TicketOpened};
pub use legal::{IllegalStep, legal_step};
pub use rejection::Rejection;
pub use shared_kernel::RejectionKind;
pub use shared_kernel::TicketId;
pub use ticket::{Link, Ticket};
pub use value::{
    AssignmentMethod, Channel, ClosedReason, DueKind, LinkKind, MessageId, Priority, ResolutionCode, Status, Tag,
    TicketNumber, Trigger,
};
