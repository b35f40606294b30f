//! Blocking.

use person_aggregate::{Command, Person, Rejection};
use shared_kernel::testing::given_nothing;

use crate::scenario::{blocked, context, given, registered, unblocked};

fn block(reason: &str) -> Command {
    Command::Block { reason: reason.to_owned() }
}

#[test]
fn block_and_unblock() {
    given([registered()])
        .when(block("insults"), context())
        .then([blocked()])
        .when(Command::Unblock, context())
        .then([unblocked()])
        .when(block("insults"), context())
        .then([blocked()]);
}

#[test]
fn block_and_unblock_record_nothing_twice() {
    given([registered(), blocked()]).when(block("more insults"), context()).then_nothing();
    given([registered()]).when(Command::Unblock, context()).then_nothing();
}

#[test]
fn block_needs_a_reason() {
    let field = "reason";
    let faulty = [
        ("", Rejection::Blank { field }),
        (" \n", Rejection::Blank { field }),
        ("a\0b", Rejection::ControlCharacter { field }),
        (&"ö".repeat(1_001), Rejection::TooLong { field, limit: 1_000 }),
    ];
    for (reason, rejection) in faulty {
        given([registered()]).when(block(reason), context()).then_rejected(rejection.clone());
        // what is wrong with the command comes before what is wrong with its time
        given_nothing::<Person>().when(block(reason), context()).then_rejected(rejection);
    }
    let longest = "ö".repeat(1_000);
    let event = person_aggregate::Event::PersonBlocked { reason: longest.clone() };
    given([registered()]).when(block(&longest), context()).then([event]);
}
