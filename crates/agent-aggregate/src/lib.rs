//! The rules of an agent: teams, skills, capacity, presence, and the slots that tickets take.
//! [`Agent`] implements [`Aggregate`](shared_kernel::Aggregate).
//!
//! The crate is pure: no I/O, no clock, no randomness.
//!
//! A slot is a reservation in the agent's own stream. Recorded in one unit with the assignment in the ticket's stream,
//! it keeps two concurrent assignments from exceeding a capacity.
#![forbid(unsafe_code)]

pub mod limits;

mod agent;
mod aggregate;
mod codec;
mod command;
mod decide;
mod event;
mod evolve;
mod legal;
mod rejection;
mod value;

pub use agent::Agent;
pub use command::{Command, CommandKind};
pub use event::Event;
pub use legal::{IllegalStep, legal_step};
pub use rejection::Rejection;
pub use shared_kernel::RejectionKind;
pub use value::{Override, Presence, Skill};
