//! The rules of settings: documents of several kinds with a handle, a name and a history. [`Setting`] implements
//! [`Aggregate`](shared_kernel::Aggregate).
//!
//! The crate is pure: no I/O, no clock, no randomness.
//!
//! All kinds share commands, events and rules. What differs stands in an implementation of [`Kind`]: the names of its
//! events, its document with JSON Schema and check. The first kind is [`Team`].
#![forbid(unsafe_code)]

pub mod limits;

mod aggregate;
mod codec;
mod command;
mod decide;
mod event;
mod evolve;
mod kind;
mod legal;
mod rejection;
mod setting;
mod team;

pub use command::{Command, CommandKind};
pub use event::{Created, Event, Revised};
pub use kind::{Fault, Kind};
pub use legal::{IllegalStep, legal_step};
pub use rejection::Rejection;
pub use setting::{Setting, SettingName};
pub use shared_kernel::RejectionKind;
pub use team::{Team, TeamDocument};
