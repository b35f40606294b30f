//! What holds for every history.

use std::collections::BTreeSet;

use person_aggregate::{Event, Person, limits};
use proptest::prelude::*;
use shared_kernel::codec::{decode, encode};
use shared_kernel::testing::hour;
use shared_kernel::{Aggregate, Stamp, StreamVersion};

use crate::arbitrary;
use crate::scenario::context;

/// What holds of a person in whatever way commands made them.
fn check(person: &Person) {
    assert_eq!(person.id, context().person_id);
    assert!(person.identities.len() <= limits::IDENTITIES);
    assert!(person.identities.keys().all(|identity| (1..=person.last_identity.0).contains(&identity.0)));
    assert!(!person.merged.contains(&person.id) && person.merged_into != Some(person.id));
    assert!(person.merged_into.is_none_or(|into| !person.merged.contains(&into)));
    let aliases: BTreeSet<_> = person.aliases().collect();
    assert_eq!(aliases.len(), person.identities.len());
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn every_sequence_of_commands_makes_a_legal_history(commands in arbitrary::walks()) {
        let (mut person, mut version) = (None, 0);
        for command in commands {
            let Ok(events) = Person::decide(person.as_ref(), &command, &context()) else { continue };
            for event in &events {
                let legal = Person::check_step(person.as_ref(), event);
                prop_assert!(legal.is_ok(), "{event:?} in {person:?}: {legal:?}");
                version += 1;
                let stamp = Stamp { occurred_at: hour(version), version: StreamVersion(version) };
                person = Person::evolve(person, event, &stamp);
            }
            person.iter().for_each(check);
            // again, it changes nothing or is refused; only a registration could not be repeated
            if let Ok(again) = Person::decide(person.as_ref(), &command, &context()) {
                prop_assert_eq!(again, vec![]);
            }
        }
        prop_assert_eq!(person.map_or(0, |person| person.version.0), version);
    }

    /// The log may hold what no command would have recorded: folding and auditing take it all the same.
    #[test]
    fn any_order_of_events_folds(events in prop::collection::vec(arbitrary::events(), 0..40)) {
        let mut person: Option<Person> = None;
        for (version, event) in (1..).zip(&events) {
            let registered = person.is_some();
            let legal = Person::check_step(person.as_ref(), event);
            let is_registration = matches!(event, Event::PersonRegistered { .. });
            prop_assert!(registered || legal.is_ok() == is_registration);
            person = Person::evolve(person, event, &Stamp { occurred_at: hour(0), version: StreamVersion(version) });
            prop_assert!(!registered || person.is_some());
        }
        if let Some(person) = person {
            let json = serde_json::to_string(&person).unwrap();
            prop_assert_eq!(serde_json::from_str::<Person>(&json).unwrap(), person);
        }
    }

    #[test]
    fn every_event_is_read_back_as_it_was_written(event in arbitrary::events()) {
        let encoded = encode(&event).unwrap();
        let read = decode::<Event>(encoded.event_type, encoded.schema_version, &encoded.payload).unwrap();
        prop_assert_eq!(encode(&read).unwrap(), encoded);
        prop_assert_eq!(read, event);
    }
}
