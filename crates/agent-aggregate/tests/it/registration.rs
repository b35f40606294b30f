//! How an agent begins.

use agent_aggregate::{Agent, CommandKind, Rejection, limits};
use shared_kernel::testing::given_nothing;

use crate::samples;
use crate::scenario::{given, register, registered, registered_with};

#[test]
fn register_records_handle_person_and_capacity() {
    for capacity in [Some(5), Some(0), Some(limits::CAPACITY), None] {
        given_nothing::<Agent>().when(register(capacity), ()).then([registered_with(capacity)]);
    }
}

#[test]
fn register_refuses_too_large_capacity() {
    let refusal = Rejection::CapacityTooLarge { limit: 10_000 };
    given_nothing::<Agent>().when(register(Some(10_001)), ()).then_rejected(refusal);
    // a fault of the command itself goes before the state's
    given([registered()]).when(register(Some(10_001)), ()).then_rejected(refusal);
}

#[test]
fn register_happens_once() {
    given([registered()]).when(register(Some(5)), ()).then_rejected(Rejection::AlreadyRegistered);
}

#[test]
fn every_other_command_requires_registration() {
    for kind in CommandKind::ALL.iter().filter(|kind| **kind != CommandKind::Register) {
        given_nothing::<Agent>().when(samples::command(*kind), ()).then_rejected(Rejection::NotRegistered);
    }
}
