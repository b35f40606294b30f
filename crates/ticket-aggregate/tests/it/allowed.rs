//! What a ticket says may be done with it.

use shared_kernel::Role;
use std::fmt::Write as _;

use ticket_aggregate::{CommandKind, Status};

use crate::scenario::{opened, ticket};

/// The whole matrix, so that a change of anyone's rights shows as a diff.
#[test]
fn allowed_commands_matrix() {
    let mut ticket = ticket(&[opened()]);
    let mut matrix = String::new();
    for status in Status::ALL {
        ticket.status = *status;
        for role in Role::ALL {
            let allowed = ticket.allowed_commands(*role);
            let words: Vec<&str> = allowed.iter().map(|command| command.as_str()).collect();
            writeln!(matrix, "{status} / {role}: {}", words.join(" ")).unwrap();
        }
    }
    insta::assert_snapshot!(matrix);
}

#[test]
fn open_is_not_allowed_twice() {
    let ticket = ticket(&[opened()]);
    for role in Role::ALL {
        assert!(!ticket.allowed_commands(*role).contains(&CommandKind::Open));
    }
}

#[test]
fn higher_roles_allow_what_lower_do() {
    let mut ticket = ticket(&[opened()]);
    for status in Status::ALL {
        ticket.status = *status;
        for pair in [Role::Agent, Role::Lead, Role::Admin, Role::System].windows(2) {
            let higher = ticket.allowed_commands(pair[1]);
            let lower = ticket.allowed_commands(pair[0]);
            assert!(lower.iter().all(|command| higher.contains(command)), "{status}: {pair:?}");
        }
    }
}
