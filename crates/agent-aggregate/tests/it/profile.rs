//! Skills, capacity, presence.

use std::collections::BTreeSet;

use agent_aggregate::{Command, Presence, Rejection, Skill, limits};

use crate::scenario::{
    capacity_set, given, presence_changed, registered, registered_with, reserve, reserved, skills, skills_changed,
};

fn set_skills(words: &[&str]) -> Command {
    Command::SetSkills { skills: skills(words) }
}
fn set_capacity(capacity: Option<u32>) -> Command {
    Command::SetCapacity { capacity }
}
fn set_presence(presence: Presence) -> Command {
    Command::SetPresence { presence }
}

#[test]
fn set_skills_replaces_all() {
    let first = given([registered()]).when(set_skills(&["german"]), ()).then([skills_changed(&[], &["german"])]);
    let second = first.when(set_skills(&["latin"]), ()).then([skills_changed(&["german"], &["latin"])]);
    second.when(set_skills(&[]), ()).then([skills_changed(&["latin"], &[])]);
}

#[test]
fn same_skills_record_nothing() {
    given([registered()]).when(set_skills(&[]), ()).then_nothing();
    given([registered(), skills_changed(&[], &["german"])]).when(set_skills(&["german"]), ()).then_nothing();
}

#[test]
fn skill_limit() {
    let numbered = |n: usize| (0..n).map(|n| Skill::parse(&n.to_string()).unwrap()).collect::<BTreeSet<_>>();
    let refusal = Rejection::TooManySkills { limit: 100 };
    let too_many = || Command::SetSkills { skills: numbered(limits::SKILLS + 1) };
    given([registered()]).when(too_many(), ()).then_rejected(refusal);
    // a fault of the command itself goes before the state's
    given([]).when(too_many(), ()).then_rejected(refusal);
    let all = numbered(limits::SKILLS);
    let changed = agent_aggregate::Event::SkillsChanged { from: BTreeSet::new(), to: all.clone() };
    given([registered()]).when(Command::SetSkills { skills: all }, ()).then([changed]);
}

#[test]
fn set_capacity_to_any_within_limit() {
    for capacity in [Some(0), Some(limits::CAPACITY), None] {
        let changed = capacity_set(Some(5), capacity);
        given([registered()]).when(set_capacity(capacity), ()).then([changed]);
    }
    given([registered_with(None)]).when(set_capacity(Some(5)), ()).then([capacity_set(None, Some(5))]);
}

#[test]
fn set_capacity_refuses_too_large() {
    let refusal = Rejection::CapacityTooLarge { limit: 10_000 };
    given([registered()]).when(set_capacity(Some(10_001)), ()).then_rejected(refusal);
    given([]).when(set_capacity(Some(u32::MAX)), ()).then_rejected(refusal);
}

#[test]
fn same_capacity_records_nothing() {
    given([registered()]).when(set_capacity(Some(5)), ()).then_nothing();
    given([registered_with(None)]).when(set_capacity(None), ()).then_nothing();
}

#[test]
fn capacity_may_fall_below_load() {
    let full = given([registered(), reserved("printer", 5)]);
    let lowered = full.when(set_capacity(Some(3)), ()).then([capacity_set(Some(5), Some(3))]);
    let refusal = Rejection::AtCapacity { load: 5, capacity: 3, weight: 1 };
    lowered.when(reserve("router", 1, None), ()).then_rejected(refusal);
}

#[test]
fn set_presence_from_any_to_any() {
    for from in Presence::ALL {
        let start = || {
            let changed = (*from != Presence::Online).then(|| presence_changed(Presence::Online, *from));
            given([registered()].into_iter().chain(changed).collect::<Vec<_>>())
        };
        for to in Presence::ALL {
            let when = start().when(set_presence(*to), ());
            if from == to {
                when.then_nothing();
            } else {
                when.then([presence_changed(*from, *to)]);
            }
        }
    }
}
