//! The rules of a person: names, identities, merging, blocking. [`Person`] implements
//! [`Aggregate`](shared_kernel::Aggregate).
//!
//! The crate is pure: no I/O, no clock, no randomness.
//!
//! An identity (an e-mail address, an account, a name in another system) belongs to one person at a time. The crate names
//! the alias of the log that makes it unique ([`IdentityValue::alias`]); the caller takes it in the unit that records
//! `person.identity_added` and releases it with `person.identity_removed`.
#![forbid(unsafe_code)]

pub mod limits;

mod aggregate;
mod codec;
mod command;
mod context;
mod decide;
mod event;
mod evolve;
mod legal;
mod person;
mod rejection;
mod value;

pub use command::{Command, CommandKind};
pub use context::Context;
pub use event::{Event, IdentityAdded, NameChange, RegisteredName};
pub use legal::{IllegalStep, legal_step};
pub use person::Person;
pub use rejection::Rejection;
pub use shared_kernel::RejectionKind;
pub use value::{ExternalName, IdentityError, IdentityKind, IdentityValue, OidcAccount, PersonName};
