//! The committed contract documents are what the server serves, so a change of the contract shows as a diff.

use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::world::World;

/// Rewrites the documents; the same variable as for the diagram of states.
const UPDATE: &str = "UPDATE_DOCS=1 cargo test -p api documents";

/// Members in alphabetical order, whether or not some crate of the build turns on `preserve_order` of `serde_json`.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members = members.into_iter().map(|(name, value)| (name, sorted(value))).collect::<Vec<_>>();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(members.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

fn check(name: &str, served: Value) {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs")).join(name);
    let served = format!("{:#}\n", sorted(served));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &served).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let same = committed.lines().zip(served.lines()).take_while(|(committed, served)| committed == served).count();
    assert!(
        committed == served,
        "docs/{name} differs from what is served, first at line {}; to rewrite it: {UPDATE}",
        same + 1
    );
}

#[tokio::test]
async fn committed_openapi_document_is_current() {
    let world = World::new().await;
    check("openapi.json", world.anyone().get("/openapi.json").await.ok(200).json());
}

#[tokio::test]
async fn committed_asyncapi_document_is_current() {
    let world = World::new().await;
    check("asyncapi.json", world.anyone().get("/asyncapi.json").await.ok(200).json());
}

#[test]
fn every_reference_of_the_openapi_document_resolves() {
    let document = api::openapi();
    let (mut pending, mut checked) = (vec![&document], 0);
    while let Some(value) = pending.pop() {
        match value {
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(|reference| reference.as_str()) {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{reference} does not exist");
                    checked += 1;
                }
                pending.extend(members.values());
            }
            Value::Array(items) => pending.extend(items),
            _ => {}
        }
    }
    assert!(checked > 100, "{checked}");
}
