//! A second kind, which has an older version of an event and documents with several faults: what is general is general.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use settings_aggregate::{Command, Created, Event, Fault, Kind, Rejection, Revised, Setting};
use shared_kernel::codec::{DecodeError, decode, encode};
use shared_kernel::testing::{fold, given, given_nothing};
use shared_kernel::{Aggregate, DomainEvent, EventType, uuid_id};

use crate::scenario::{handle, name};

uuid_id! {
    /// A greeting.
    GreetingId;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Greeting;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lines {
    pub(crate) lines: Vec<String>,
}

impl Kind for Greeting {
    const NAME: &'static str = "greeting";
    const STATE_SCHEMA: i16 = 3;
    const CREATED: EventType = EventType::new("greeting.drafted");
    const REVISED: EventType = EventType::upcast("greeting.revised", &[one_line_to_many]);
    const RETIRED: EventType = EventType::new("greeting.retired");
    const HANDLE_SCOPE: &'static str = "greeting-handle";

    type Id = GreetingId;
    type Document = Lines;

    fn schema() -> Value {
        json!({"type": "object"})
    }

    fn check(document: &Lines) -> Result<(), Vec<Fault>> {
        let blank = document.lines.iter().enumerate().filter(|(_, line)| line.is_empty());
        let faults: Vec<_> =
            blank.map(|(n, _)| Fault { pointer: format!("/lines/{n}"), detail: "is blank".to_owned() }).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    fn size_of(document: &Lines) -> usize {
        document.lines.iter().map(String::len).sum()
    }
}

fn one_line_to_many(members: &mut Map<String, Value>) {
    if let Some(line) = members.remove("line") {
        members.insert("document".to_owned(), json!({ "lines": [line] }));
    }
}

fn lines(lines: &[&str]) -> Lines {
    Lines { lines: lines.iter().map(|&line| line.to_owned()).collect() }
}
fn drafted() -> Event<Greeting> {
    Event::Created(Created { handle: handle("hello"), name: name("Hello"), document: lines(&["Dear"]) })
}

#[test]
fn kind_names_its_stream_and_events() {
    assert_eq!(Setting::<Greeting>::TYPE, "greeting");
    assert_eq!(Setting::<Greeting>::STATE_SCHEMA, 3);
    assert_eq!(Setting::<Greeting>::handle_scope(), "greeting-handle");
    let names: Vec<_> = Event::<Greeting>::TYPES.iter().map(|it| it.name).collect();
    assert_eq!(names, ["greeting.drafted", "greeting.revised", "greeting.retired"]);
}

#[test]
fn kind_has_the_common_rules() {
    let faults = vec![
        Fault { pointer: "/lines/0".to_owned(), detail: "is blank".to_owned() },
        Fault { pointer: "/lines/2".to_owned(), detail: "is blank".to_owned() },
    ];
    let create = |document| Command::<Greeting>::Create { handle: handle("hello"), name: name("Hello"), document };
    given_nothing::<Setting<Greeting>>()
        .when(create(lines(&["", "a", ""])), ())
        .then_rejected(Rejection::InvalidDocument { faults });
    given_nothing::<Setting<Greeting>>().when(create(lines(&["Dear"])), ()).then([drafted()]);
    let document = lines(&["Dear", "all"]);
    given::<Setting<Greeting>>([drafted()])
        .when(Command::Revise { name: None, document: Some(document.clone()) }, ())
        .then([Event::Revised(Revised { name: name("Hello"), document })])
        .when(Command::Retire, ())
        .then([Event::Retired]);
    let state = fold::<Setting<Greeting>>(&[drafted()]).unwrap();
    assert!(state.aliases().eq([("greeting-handle", "hello".to_owned())]));
}

#[test]
fn kind_upcasts_its_own_events() {
    let old = decode::<Event<Greeting>>("greeting.revised", 1, r#"{"name":"Hello","line":"Dear"}"#).unwrap();
    let Event::Revised(revised) = &old else { panic!("{old:?}") };
    assert_eq!(revised.document, lines(&["Dear"]));
    let encoded = encode(&old).unwrap();
    assert_eq!((encoded.event_type, encoded.schema_version), ("greeting.revised", 2));
    assert_eq!(encoded.payload, r#"{"name":"Hello","document":{"lines":["Dear"]}}"#);
}

#[test]
fn kind_knows_no_events_of_others() {
    let outcome = decode::<Event<Greeting>>("team.retired", 1, "{}");
    assert!(matches!(outcome, Err(DecodeError::UnknownType { .. })), "{outcome:?}");
    assert!(serde_json::from_str::<Event<Greeting>>(r#"{"team.retired":{}}"#).is_err());
}
