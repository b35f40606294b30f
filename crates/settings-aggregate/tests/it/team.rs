//! The document of a team, its schema and its check.

use settings_aggregate::{Kind, Setting, Team, TeamDocument};
use shared_kernel::{Aggregate, DomainEvent};

use crate::scenario::document;

/// Whether the schema takes the document.
fn fits_schema(document: &serde_json::Value) -> bool {
    jsonschema::draft202012::new(&Team::schema()).unwrap().is_valid(document)
}

#[test]
fn names_belong_to_the_kind() {
    assert_eq!((Setting::<Team>::TYPE, Setting::<Team>::handle_scope()), ("team", "team-handle"));
    let types = <Setting<Team> as Aggregate>::Event::TYPES;
    assert!(types.iter().all(|it| it.name.starts_with("team.")));
}

#[test]
fn schema_is_a_json_schema() {
    assert!(jsonschema::meta::is_valid(&Team::schema()));
    insta::assert_json_snapshot!(Team::schema());
}

#[test]
fn sound_documents_fit_the_schema() {
    for document in [TeamDocument::default(), document("Doors.\nNo printers."), document(&"ö".repeat(1_000))] {
        assert_eq!(Team::check(&document), Ok(()));
        assert!(fits_schema(&serde_json::to_value(&document).unwrap()), "{document:?}");
    }
}

#[test]
fn faulty_descriptions_are_pointed_at() {
    let unsound = [
        (String::new(), "is blank; write something or leave it out"),
        (" \n".to_owned(), "is blank; write something or leave it out"),
        ("ö".repeat(1_001), "is too long; use at most 1000 characters"),
        ("a\0b".to_owned(), "contains a NUL character; remove it"),
    ];
    for (text, detail) in unsound {
        let faults = Team::check(&document(&text)).unwrap_err();
        let found: Vec<_> = faults.iter().map(|fault| (fault.pointer.as_str(), fault.detail.as_str())).collect();
        assert_eq!(found, [("/description", detail)]);
    }
}

#[test]
fn schema_and_parser_agree() {
    let texts = [
        (r"{}", true),
        (r#"{"description":null}"#, true),
        (r#"{"description":"Doors."}"#, true),
        (r#"{"description":1}"#, false),
        (r#"{"members":[]}"#, false),
        (r"[]", false),
    ];
    for (text, sound) in texts {
        assert_eq!(fits_schema(&serde_json::from_str(text).unwrap()), sound, "{text}");
        if text.starts_with('{') {
            assert_eq!(serde_json::from_str::<TeamDocument>(text).is_ok(), sound, "{text}");
        }
    }
}
