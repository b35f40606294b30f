//! The subscription runtime: what follows the log under a name, in whichever process leads.
//!
//! - [`lead`] stands by for a name and does a job while it leads; after an error or a panic it does so again, with a
//!   growing pause. All that a process stands by for share one connection (`EventStore::lead`).
//! - [`Session`] hands the log to a [`Handler`] in bounded batches. The effect of a batch and the checkpoint commit
//!   together, over the connection that holds the leadership: exactly once, whatever is killed when.
//! - An event that can't be applied **parks** its stream, and nothing else (docs/adr/0016). An operator asks for a
//!   [`Action::Retry`] or an [`Action::Skip`]; the leader carries it out.
//!
//! How it fits together: docs/adr/0038.

mod handler;
mod leader;
mod metrics;
mod parking;
mod repair;
mod requests;
mod session;

pub use handler::{ApplyError, Content, Envelope, Handler, LogEvent};
pub use leader::{Backoff, lead};
pub use parking::{Parked, forget, parked, skips};
pub use requests::{Action, Outcome, ask, outcome};
pub use session::{Session, SessionError};
