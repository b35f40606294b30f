//! `docs/http-contract-tests.md` says which test holds which rule: it is held true here.

use std::path::PathBuf;

const TABLE: &str = include_str!("../../../../docs/http-contract-tests.md");

/// The file behind `file::test`, `crate/file::test` or `src/file::test`.
fn file(name: &str) -> PathBuf {
    let crates = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    match name.split_once('/') {
        None => crates.join(format!("api/tests/it/{name}.rs")),
        Some(("src", name)) => crates.join(format!("api/src/{name}.rs")),
        Some((named, name)) => crates.join(format!("{named}/tests/it/{name}.rs")),
    }
}

#[test]
fn every_test_that_is_named_exists() {
    let mut checked = 0;
    let rows = TABLE.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| rule"));
    for row in rows {
        let tests = row.split('|').nth(2).unwrap();
        let names = tests.split('`').filter(|name| name.contains("::")).collect::<Vec<_>>();
        assert!(!names.is_empty(), "no test holds: {row}");
        for name in names {
            let (module, test) = name.split_once("::").unwrap();
            let source = std::fs::read_to_string(file(module)).unwrap_or_else(|e| panic!("{name}: {e}"));
            let attributes = source.split(&format!("fn {test}(")).next().filter(|before| *before != source);
            let attributes = attributes.unwrap_or_else(|| panic!("there is no test {name}"));
            let last = attributes.rsplit("\n\n").next().unwrap();
            assert!(last.contains("test]") || last.contains("test("), "{name} is no test");
            checked += 1;
        }
    }
    assert!(checked > 80, "{checked}");
}
