//! Who may know whom, and where a line belongs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Each crate, and the crates of ours that it may use.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("eventstore", &[]),
    ("ticket-aggregate", &[]),
    ("devstack", &[]),
    ("http-server", &[]),
    ("relay", &["eventstore"]),
    ("desk", &["eventstore", "ticket-aggregate"]),
    ("projections", &["eventstore", "ticket-aggregate"]),
    ("api", &["desk", "eventstore", "http-server", "projections", "ticket-aggregate"]),
    // tools that are not shipped
    ("bench", &["devstack", "eventstore"]),
    ("faults", &["devstack"]),
    ("overload", &["devstack"]),
    ("docket", &["api", "desk", "devstack", "eventstore", "projections", "relay", "ticket-aggregate"]),
];

/// Crates of others that only these of ours may name.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("axum", &["api"]),
    ("async-nats", &["relay", "notifier", "faults"]),
    ("sqlx", &["eventstore", "desk", "devstack", "docket", "overload", "projections", "bench", "faults"]),
    ("anyhow", &["docket", "overload", "bench", "faults"]),
    ("clap", &["docket", "overload", "faults"]),
];

/// Crates that the shipped binary must not contain: they are there for the fault checker.
const NEVER_SHIPPED: &[&str] = &["fail", "faults"];

/// What the rules of a ticket are made of: nothing that does I/O, no clock, no randomness.
const PURE: &[&str] = &["chrono", "serde", "serde_json", "thiserror", "uuid"];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let normal = |p: &cargo_metadata::Package| {
        p.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal).map(|d| d.name.clone()).collect()
    };
    metadata.packages.iter().map(|p| (p.name.to_string(), normal(p))).collect()
}

#[test]
fn the_crates_know_only_whom_they_may() {
    let found = dependencies();
    let ours: BTreeSet<&str> = MAY_KNOW.iter().map(|(name, _)| *name).collect();
    assert_eq!(found.keys().map(String::as_str).collect::<BTreeSet<_>>(), ours, "a new crate needs its place here");
    for (name, allowed) in MAY_KNOW {
        let known = found[*name].iter().map(String::as_str).filter(|d| ours.contains(d));
        let unexpected: Vec<_> = known.filter(|d| !allowed.contains(d)).collect();
        assert!(unexpected.is_empty(), "{name} must not know {unexpected:?}");
    }
}

#[test]
fn what_belongs_to_one_crate_is_named_by_it_alone() {
    for (name, known) in dependencies() {
        for (library, allowed) in ONLY_IN {
            assert!(!known.contains(*library) || allowed.contains(&name.as_str()), "{name} must not name {library}");
        }
        if name.ends_with("-aggregate") {
            let impure: Vec<_> = known.iter().filter(|d| !PURE.contains(&d.as_str())).collect();
            assert!(impure.is_empty(), "{name} is pure, and uses {impure:?}");
        }
    }
}

#[test]
fn what_is_for_the_fault_checker_is_not_shipped() {
    let metadata = MetadataCommand::new().exec().unwrap();
    let resolve = metadata.resolve.unwrap();
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let name =
        |id: &cargo_metadata::PackageId| metadata.packages.iter().find(|p| p.id == *id).map(|p| p.name.to_string());
    let mut waiting: Vec<_> = nodes.keys().copied().filter(|id| name(id).as_deref() == Some("docket")).collect();
    let mut shipped = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if shipped.insert(name(id).unwrap()) {
            let normal =
                |dep: &&cargo_metadata::NodeDep| dep.dep_kinds.iter().any(|k| k.kind == DependencyKind::Normal);
            waiting.extend(nodes[id].deps.iter().filter(normal).map(|dep| &dep.pkg));
        }
    }
    assert!(shipped.contains("eventstore") && shipped.contains("tokio"), "the walk finds what is shipped");
    let found: Vec<_> = NEVER_SHIPPED.iter().filter(|name| shipped.contains(**name)).collect();
    assert!(found.is_empty(), "the default features ship {found:?}");
}

#[test]
#[cfg(not(feature = "failpoints"))]
fn the_shipped_binary_knows_no_failpoint() {
    let binary = std::fs::read(env!("CARGO_BIN_EXE_docket")).unwrap();
    let binary = String::from_utf8_lossy(&binary);
    let holds = |word: &str| binary.contains(word);
    assert!(holds("eventstore_append"), "its texts can be found");
    for word in ["FAILPOINTS", "append.before_send", "projection.before_commit", "relay.before_publish", "planted."] {
        assert!(!holds(word), "{word} is in it");
    }
}

#[test]
fn files_are_small_enough_to_be_read() {
    let mut long = Vec::new();
    walk_workspace(&mut |path, text| {
        let lines = text.lines().count();
        if lines > 400 {
            long.push(format!("{}: {lines} lines", path.display()));
        }
    });
    assert!(long.is_empty(), "split them: {long:#?}");
}

#[test]
fn the_closed_vocabulary_has_no_place_for_everything() {
    walk_workspace(&mut |path, _| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let vague = ["utils", "util", "common", "helpers", "helper", "manager", "service", "misc", "mod"];
        assert!(!vague.contains(&name), "{} says nothing of what is in it", path.display());
    });
}

/// Every Rust file of the product and of its tools.
fn walk_workspace(visit: &mut impl FnMut(&Path, &str)) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for folder in ["crates", "tools/bench", "tools/faults", "tools/overload"] {
        walk(&root.join(folder), visit);
    }
}

/// Every Rust file beneath a folder.
fn walk(folder: &Path, visit: &mut impl FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, visit);
        } else if path.extension().is_some_and(|e| e == "rs") {
            visit(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}
