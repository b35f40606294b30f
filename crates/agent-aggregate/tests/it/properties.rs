//! What holds for every history.

use agent_aggregate::{Agent, Command, Event, legal_step};
use proptest::collection::vec;
use proptest::prelude::*;
use shared_kernel::codec::{decode, encode};
use shared_kernel::testing::hour;
use shared_kernel::{Aggregate, Stamp, StreamVersion};

use crate::arbitrary::{commands, events};
use crate::scenario::register;

fn cases(cases: u32) -> ProptestConfig {
    // PROPTEST_CASES goes before it
    let config = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { cases };
    ProptestConfig { cases, failure_persistence: None, ..config }
}

fn stamp(version: i64) -> Stamp {
    Stamp { occurred_at: hour(version), version: StreamVersion(version) }
}

/// The stored form gives the event back.
fn settles(event: &Event) {
    let encoded = encode(event).unwrap();
    assert_eq!(&decode::<Event>(encoded.event_type, encoded.schema_version, &encoded.payload).unwrap(), event);
}

/// Decides a command and records what it says.
fn step(state: Option<Agent>, command: &Command, version: &mut i64) -> Option<Agent> {
    let Ok(events) = Agent::decide(state.as_ref(), command, &()) else { return state };
    events.iter().fold(state, |state, event| {
        assert_eq!(legal_step(state.as_ref(), event), Ok(()), "{event:?} in {state:?}");
        settles(event);
        *version += 1;
        let after = Agent::evolve(state, event, &stamp(*version)).unwrap();
        if let Event::SlotReserved { over_capacity, .. } = event {
            let exceeds = after.capacity.is_some_and(|capacity| after.load() > u64::from(capacity));
            assert_eq!(exceeds, over_capacity.is_some(), "{event:?} leads to {after:?}");
        }
        Some(after)
    })
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn commands_make_a_sound_history(capacity in 0..8_u32, commands in vec(commands(), 0..60)) {
        let mut version = 0;
        let mut state = step(None, &register(Some(capacity)), &mut version);
        for command in commands {
            state = step(state, &command, &mut version);
            // whatever it came to: again, it changes nothing
            let again = Agent::decide(state.as_ref(), &command, &());
            prop_assert!(again.is_err() || again == Ok(Vec::new()), "{command:?} again: {again:?}");
            if let Command::Release { .. } = command {
                prop_assert_eq!(again, Ok(Vec::new()));
            }
        }
        let agent = state.unwrap();
        let json = serde_json::to_string(&agent).unwrap();
        prop_assert_eq!(serde_json::from_str::<Agent>(&json).unwrap(), agent);
    }

    #[test]
    fn repeated_reserve_and_release_record_nothing(commands in vec(commands(), 0..30), other in commands()) {
        let mut version = 0;
        let start = step(None, &register(None), &mut version);
        let state = commands.iter().fold(start, |state, command| step(state, command, &mut version));
        let (Command::Reserve { ticket, .. } | Command::Release { ticket }) = other else { return Ok(()) };
        let had = state.as_ref().unwrap().slots.contains_key(&ticket);
        let outcome = Agent::decide(state.as_ref(), &other, &());
        match other {
            Command::Reserve { .. } if had => prop_assert_eq!(outcome, Ok(Vec::new())),
            Command::Release { .. } if !had => prop_assert_eq!(outcome, Ok(Vec::new())),
            _ => {
                let changed = outcome.is_ok();
                let after = step(state, &other, &mut version);
                prop_assert!(!changed || after.as_ref().unwrap().slots.contains_key(&ticket) != had);
                prop_assert!(!changed || Agent::decide(after.as_ref(), &other, &()) == Ok(Vec::new()));
            }
        }
    }

    /// The log may hold what no command would have recorded: folding and auditing take it all the same.
    #[test]
    fn any_order_of_events_folds(events in vec(events(), 0..40)) {
        let mut state: Option<Agent> = None;
        for (version, event) in (1..).zip(&events) {
            settles(event);
            let before = state.is_some();
            let begins = matches!(event, Event::AgentRegistered { .. });
            let legal = legal_step(state.as_ref(), event);
            prop_assert!(before != begins || legal.is_err());
            state = Agent::evolve(state, event, &stamp(version));
            prop_assert_eq!(state.is_some(), before || begins);
            if let Some(agent) = &state {
                let load = agent.load();
                prop_assert!(agent.has_room_for(0) || agent.capacity.is_some_and(|it| load > u64::from(it)));
            }
        }
    }
}
