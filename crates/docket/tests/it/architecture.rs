//! The rules of the source tree: which crate may use which, sizes, names, what is not shipped.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Each crate of the workspace, and the others of it that it may use.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("eventstore", &[]),
    ("shared-kernel", &[]),
    ("agent-aggregate", &["shared-kernel"]),
    ("person-aggregate", &["shared-kernel"]),
    ("settings-aggregate", &["shared-kernel"]),
    ("ticket-aggregate", &["shared-kernel"]),
    ("eventsourcing", &["eventstore", "shared-kernel"]),
    ("devstack", &[]),
    ("http-server", &[]),
    ("relay", &["eventstore"]),
    (
        "desk",
        &[
            "agent-aggregate",
            "eventsourcing",
            "eventstore",
            "person-aggregate",
            "settings-aggregate",
            "shared-kernel",
            "ticket-aggregate",
        ],
    ),
    (
        "projections",
        &[
            "agent-aggregate",
            "eventsourcing",
            "eventstore",
            "person-aggregate",
            "settings-aggregate",
            "shared-kernel",
            "ticket-aggregate",
        ],
    ),
    (
        "api",
        &[
            "agent-aggregate",
            "desk",
            "eventsourcing",
            "eventstore",
            "http-server",
            "person-aggregate",
            "projections",
            "settings-aggregate",
            "shared-kernel",
            "ticket-aggregate",
        ],
    ),
    // tools that are not shipped
    ("bench", &["devstack", "eventstore"]),
    ("faults", &["devstack"]),
    ("overload", &["devstack"]),
    (
        "docket",
        &[
            "agent-aggregate",
            "api",
            "desk",
            "devstack",
            "eventsourcing",
            "eventstore",
            "person-aggregate",
            "projections",
            "relay",
            "settings-aggregate",
            "shared-kernel",
            "ticket-aggregate",
        ],
    ),
];

/// External crates, and the only crates of the workspace that may use them.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("axum", &["api"]),
    ("async-nats", &["relay", "notifier", "faults"]),
    (
        "sqlx",
        &["eventsourcing", "eventstore", "desk", "devstack", "docket", "overload", "projections", "bench", "faults"],
    ),
    ("anyhow", &["docket", "overload", "bench", "faults"]),
    ("clap", &["docket", "overload", "faults"]),
    // one rule for addresses and handles
    ("idna", &["shared-kernel"]),
    ("unicode-normalization", &["shared-kernel"]),
];

/// Crates for the fault checker, which the shipped binary must not contain.
const NEVER_SHIPPED: &[&str] = &["fail", "faults"];

/// What domain crates may use: nothing that does I/O, reads a clock or draws random numbers.
const PURE: &[&str] =
    &["chrono", "idna", "serde", "serde_json", "shared-kernel", "thiserror", "unicode-normalization", "uuid"];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let normal = |p: &cargo_metadata::Package| {
        p.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal).map(|d| d.name.clone()).collect()
    };
    metadata.packages.iter().map(|p| (p.name.to_string(), normal(p))).collect()
}

#[test]
fn crates_use_only_allowed_crates() {
    let found = dependencies();
    let ours: BTreeSet<&str> = MAY_KNOW.iter().map(|(name, _)| *name).collect();
    assert_eq!(found.keys().map(String::as_str).collect::<BTreeSet<_>>(), ours, "a new crate needs its place here");
    for (name, allowed) in MAY_KNOW {
        let known = found[*name].iter().map(String::as_str).filter(|d| ours.contains(d));
        let unexpected: Vec<_> = known.filter(|d| !allowed.contains(d)).collect();
        assert!(unexpected.is_empty(), "{name} must not use {unexpected:?}");
    }
}

#[test]
fn libraries_stay_in_their_crates() {
    for (name, known) in dependencies() {
        for (library, allowed) in ONLY_IN {
            assert!(!known.contains(*library) || allowed.contains(&name.as_str()), "{name} must not use {library}");
        }
        if name.ends_with("-aggregate") || name == "shared-kernel" {
            let impure: Vec<_> = known.iter().filter(|d| !PURE.contains(&d.as_str())).collect();
            assert!(impure.is_empty(), "{name} is pure, and uses {impure:?}");
        }
    }
}

#[test]
fn fault_checker_is_not_shipped() {
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
fn shipped_binary_has_no_failpoints() {
    let binary = std::fs::read(env!("CARGO_BIN_EXE_docket")).unwrap();
    let binary = String::from_utf8_lossy(&binary);
    let holds = |word: &str| binary.contains(word);
    assert!(holds("eventstore_append"), "its texts can be found");
    for word in ["FAILPOINTS", "append.before_send", "subscription.before_commit", "relay.before_publish", "planted."] {
        assert!(!holds(word), "{word} is in it");
    }
}

#[test]
fn files_have_at_most_400_lines() {
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
fn files_have_telling_names() {
    walk_workspace(&mut |path, _| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let vague = ["utils", "util", "common", "helpers", "helper", "manager", "service", "misc", "mod"];
        assert!(!vague.contains(&name), "{} says nothing of what is in it", path.display());
    });
}

#[test]
fn test_files_are_compiled() {
    let mut forgotten = Vec::new();
    for krate in std::fs::read_dir(root().join("crates")).unwrap() {
        let folder = krate.unwrap().path().join("tests/it");
        let Ok(main) = std::fs::read_to_string(folder.join("main.rs")) else { continue };
        for file in std::fs::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            let module = path.file_stem().unwrap().to_str().unwrap();
            let is_module = path.extension().is_some_and(|e| e == "rs") && module != "main";
            if is_module && !main.contains(&format!("mod {module};")) {
                forgotten.push(path);
            }
        }
    }
    assert!(forgotten.is_empty(), "main.rs does not name them, so their tests never run: {forgotten:#?}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every Rust file of the product and of its tools.
fn walk_workspace(visit: &mut impl FnMut(&Path, &str)) {
    for folder in ["crates", "tools"] {
        walk(&root().join(folder), visit);
    }
}

/// Every Rust file below a folder, but for what builds leave there.
fn walk(folder: &Path, visit: &mut impl FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with("node_modules") {
                walk(&path, visit);
            }
        } else if path.extension().is_some_and(|e| e == "rs") {
            visit(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}
