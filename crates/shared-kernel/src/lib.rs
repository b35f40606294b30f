//! What all aggregates share: the [`Aggregate`] trait, the event [`codec`], ids, roles, actors, and
//! given/when/then for their tests ([`testing`]).
//!
//! The crate is pure: no I/O, no clock, no randomness.
#![forbid(unsafe_code)]

pub mod codec;
pub mod testing;
pub mod text;

mod actor;
mod aggregate;
mod email;
mod id;
mod personal;
mod principal;
mod string_enum;

pub use actor::{Actor, ActorKind, ActorRef, Identity, Role};
pub use aggregate::{Aggregate, RejectionKind, Stamp};
pub use codec::{DomainEvent, EventType};
pub use email::EmailAddress;
pub use id::{AgentId, Handle, IdentityId, PersonId, StreamVersion, TeamId, TicketId};
pub use personal::Personal;
pub use principal::Principal;
pub use text::ValueError;
