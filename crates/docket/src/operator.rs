//! Whoever runs the program, as the cause of events.

use desk::Call;
use shared_kernel::{Actor, Principal};

use crate::telemetry::{new_id, now};

/// A call by a part of the program that an operator started: `cli`, `startup`.
pub(crate) fn operator(part: &'static str) -> Call {
    Call::new(Principal::new(Actor::system(part)), now(), new_id)
}
