//! One event of every type and one command of every kind.

use agent_aggregate::{Command, CommandKind, Event, Override, Presence};
use shared_kernel::testing::{team, ticket};

use crate::scenario::{
    capacity_set, joined, left, presence_changed, register, registered, release, released, reserve, reserved_beyond,
    skills, skills_changed,
};

/// In the order of `Event::TYPES`, with every member filled.
pub(crate) fn events() -> Vec<Event> {
    vec![
        registered(),
        joined("hardware"),
        left("hardware"),
        skills_changed(&["english"], &["english", "german"]),
        capacity_set(Some(5), Some(8)),
        presence_changed(Presence::Online, Presence::Away),
        reserved_beyond("printer", 1, Some(Override::Manual)),
        released("printer"),
    ]
}

/// A command of that kind that is sound in itself.
pub(crate) fn command(kind: CommandKind) -> Command {
    match kind {
        CommandKind::Register => register(Some(5)),
        CommandKind::JoinTeam => Command::JoinTeam { team: team("hardware") },
        CommandKind::LeaveTeam => Command::LeaveTeam { team: team("hardware") },
        CommandKind::SetSkills => Command::SetSkills { skills: skills(&["german"]) },
        CommandKind::SetCapacity => Command::SetCapacity { capacity: Some(8) },
        CommandKind::SetPresence => Command::SetPresence { presence: Presence::Away },
        CommandKind::Reserve => reserve("printer", 1, None),
        CommandKind::Release => Command::Release { ticket: ticket("printer") },
    }
}

#[test]
fn command_kinds_match() {
    for kind in CommandKind::ALL {
        assert_eq!(command(*kind).kind(), *kind);
    }
    assert_eq!(release("printer"), command(CommandKind::Release));
}
