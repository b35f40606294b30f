//! What holds for every history, of a team and of the tests' own kind.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use settings_aggregate::{Command, Created, Event, Kind, Revised, Setting, SettingName, Team, TeamDocument};
use shared_kernel::codec::{decode, encode};
use shared_kernel::testing::hour;
use shared_kernel::{Aggregate, Handle, Stamp, StreamVersion};

use crate::greeting::{Greeting, Lines};

fn handles() -> impl Strategy<Value = Handle> {
    any::<String>().prop_filter_map("not a handle", |text| Handle::parse(&text).ok())
}
/// A few, so that they meet again.
fn names() -> impl Strategy<Value = SettingName> {
    let texts = prop_oneof![3 => "[AB]", 1 => any::<String>()];
    texts.prop_filter_map("not a name", |text| SettingName::parse(&text).ok())
}
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[ab]?", 1 => any::<String>()]
}
fn teams() -> impl Strategy<Value = TeamDocument> {
    option::of(texts()).prop_map(|description| TeamDocument { description })
}
fn greetings() -> impl Strategy<Value = Lines> {
    vec(texts(), 0..3).prop_map(|lines| Lines { lines })
}

fn commands<K: Kind>(documents: impl Strategy<Value = K::Document> + Clone) -> impl Strategy<Value = Command<K>> {
    let create = (handles(), names(), documents.clone());
    prop_oneof![
        3 => create.prop_map(|(handle, name, document)| Command::Create { handle, name, document }),
        6 => (option::of(names()), option::of(documents)).prop_map(|(name, document)| Command::Revise { name, document }),
        1 => Just(Command::Retire),
    ]
}
fn events<K: Kind>(documents: impl Strategy<Value = K::Document> + Clone) -> impl Strategy<Value = Event<K>> {
    let create = (handles(), names(), documents.clone());
    prop_oneof![
        create.prop_map(|(handle, name, document)| Event::Created(Created { handle, name, document })),
        (names(), documents).prop_map(|(name, document)| Event::Revised(Revised { name, document })),
        Just(Event::Retired),
    ]
}

/// Every event that is decided is legal, and the same command again records nothing.
fn check_walk<K: Kind>(commands: &[Command<K>]) {
    let (mut setting, mut version) = (None::<Setting<K>>, 0);
    for command in commands {
        let Ok(events) = Setting::decide(setting.as_ref(), command, &()) else { continue };
        for event in &events {
            let legal = Setting::check_step(setting.as_ref(), event);
            assert!(legal.is_ok(), "{event:?} in {setting:?}: {legal:?}");
            version += 1;
            let stamp = Stamp { occurred_at: hour(version), version: StreamVersion(version) };
            setting = Setting::evolve(setting, event, &stamp);
            let sound = setting.as_ref().map(|setting| K::check(&setting.document));
            assert_eq!(sound, Some(Ok(())));
        }
        let again = Setting::decide(setting.as_ref(), command, &());
        assert!(again.is_err() || again == Ok(vec![]), "{again:?}");
    }
    assert_eq!(setting.map_or(0, |setting| setting.version.0), version);
}

/// The log may hold what no command would have recorded: folding and auditing take it all the same.
fn check_fold<K: Kind>(events: &[Event<K>]) {
    let mut setting = None::<Setting<K>>;
    for (version, event) in (1..).zip(events) {
        let created = setting.is_some();
        let legal = Setting::check_step(setting.as_ref(), event);
        assert!(created || legal.is_ok() == matches!(event, Event::Created(_)));
        setting = Setting::evolve(setting, event, &Stamp { occurred_at: hour(0), version: StreamVersion(version) });
        assert!(!created || setting.is_some());
        let encoded = encode(event).unwrap();
        let read = decode::<Event<K>>(encoded.event_type, encoded.schema_version, &encoded.payload).unwrap();
        assert_eq!(&read, event);
    }
    if let Some(setting) = setting {
        let json = serde_json::to_string(&setting).unwrap();
        assert_eq!(serde_json::from_str::<Setting<K>>(&json).unwrap(), setting);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_sequence_of_commands_makes_a_legal_history(
        teams in vec(commands::<Team>(teams().boxed()), 0..20),
        greetings in vec(commands::<Greeting>(greetings().boxed()), 0..20),
    ) {
        check_walk(&teams);
        check_walk(&greetings);
    }

    #[test]
    fn any_order_of_events_folds(
        teams in vec(events::<Team>(teams().boxed()), 0..20),
        greetings in vec(events::<Greeting>(greetings().boxed()), 0..20),
    ) {
        check_fold(&teams);
        check_fold(&greetings);
    }

    #[test]
    fn whatever_passes_the_check_fits_the_schema(document in teams()) {
        let schema = jsonschema::draft202012::new(&Team::schema()).unwrap();
        let fits = schema.is_valid(&serde_json::to_value(&document).unwrap());
        prop_assert!(fits || Team::check(&document).is_err());
    }
}
