//! Words and short texts.

use agent_aggregate::{CommandKind, Override, Presence, Skill};
use shared_kernel::ValueError;

#[test]
fn words_are_frozen() {
    let words = |all: Vec<&'static str>| all.join(" ");
    let presences = words(Presence::ALL.iter().map(|it| it.as_str()).collect());
    assert_eq!(presences, "online away offline");
    assert_eq!(words(Override::ALL.iter().map(|it| it.as_str()).collect()), "manual returned");
    let kinds = words(CommandKind::ALL.iter().map(|it| it.as_str()).collect());
    assert_eq!(kinds, "register join-team leave-team set-skills set-capacity set-presence reserve release");
}

#[test]
fn skill_is_one_line() {
    assert_eq!(Skill::parse(" German ").unwrap().as_str(), "German");
    assert_ne!(Skill::parse("German"), Skill::parse("german"));
    assert_eq!(Skill::parse(" "), Err(ValueError::Blank { what: "skill" }));
    assert_eq!(Skill::parse(&"x".repeat(101)), Err(ValueError::TooLong { what: "skill", limit: 100 }));
    assert_eq!(Skill::parse("a\nb"), Err(ValueError::ControlCharacter { what: "skill" }));
}
