//! The documents: links resolve, files and tests that they name exist, decision records have their form.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Fields of a decision record, in this order.
const FIELDS: &[&str] = &["Status", "Date", "Supersedes", "Superseded by"];
const SECTIONS: &[&str] = &["Context", "Decision", "Consequences", "Alternatives"];
const STATUSES: &[&str] = &["proposed", "accepted", "superseded in part", "superseded"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of the repository, relative to its root, without what is built or hidden.
fn files() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                let skipped = name.starts_with('.') && name != ".ci" || name == "target" || name == "node_modules";
                if !skipped {
                    folders.push(path);
                }
            } else {
                found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The documents with their texts: at the root and below `docs/`.
fn documents() -> Vec<(String, String)> {
    let is_document = |file: &String| has_extension(file, "md") && (!file.contains('/') || file.starts_with("docs/"));
    files().into_iter().filter(is_document).map(|file| (file.clone(), read(&file))).collect()
}

/// The decision records with their texts, by number.
fn records() -> Vec<(String, String)> {
    let mut records: Vec<_> = documents()
        .into_iter()
        .filter_map(|(file, text)| Some((file.strip_prefix("docs/adr/")?.to_owned(), text)))
        .filter(|(file, _)| file != "README.md")
        .collect();
    records.sort();
    records
}

/// What stands between backticks, outside of code blocks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2))
}

/// The heading's anchor, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn links_resolve() {
    let mut checked = 0;
    for (file, text) in documents() {
        let folder = root().join(&file).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if link.starts_with("http") {
                continue;
            }
            let (path, section) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { root().join(&file) } else { folder.join(path) };
            assert!(target.exists(), "{file} links to {link}");
            if !section.is_empty() {
                let linked = std::fs::read_to_string(&target).unwrap();
                let mut headings = linked.lines().filter_map(|line| line.strip_prefix('#'));
                let found = headings.any(|heading| anchor(heading.trim_start_matches('#')) == section);
                assert!(found, "{file} links to {link}, which has no such section");
            }
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
}

#[test]
fn files_named_in_documents_exist() {
    let all: BTreeSet<String> = files().into_iter().map(|file| format!("/{file}")).collect();
    let mut checked = 0;
    let mut missing = Vec::new();
    for (file, text) in documents() {
        for name in quoted(&text) {
            let is_file = [".rs", ".sql", ".sh", ".proptest-regressions"].iter().any(|end| name.ends_with(end));
            // what is said not to exist, and placeholders
            let is_name = name != "mod.rs" && !name.contains(['<', '*', '{', ' ', '…']) && !name.contains("NAME");
            if is_file && is_name {
                checked += 1;
                let suffix = format!("/{name}");
                if !all.iter().any(|path| path.ends_with(&suffix)) {
                    missing.push(format!("{file}: {name}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "no such files: {missing:#?}");
    assert!(checked > 50, "{checked}");
}

#[test]
fn tests_named_in_architecture_exist() {
    let text = read("ARCHITECTURE.md");
    let named: Vec<_> = quoted(&text).filter_map(|name| name.split_once("::")).collect();
    let named: Vec<_> = named.into_iter().filter(|(module, _)| module.contains('/')).collect();
    assert!(named.len() > 10, "{named:?}");
    let mut missing = Vec::new();
    for (module, test) in named {
        let (package, file) = module.split_once('/').unwrap();
        let file = match file.strip_prefix("src/") {
            Some(file) => format!("crates/{package}/src/{file}.rs"),
            None => format!("crates/{package}/tests/it/{file}.rs"),
        };
        let source = std::fs::read_to_string(root().join(file)).unwrap_or_default();
        if !source.contains(&format!("fn {test}(")) {
            missing.push(format!("{module}::{test}"));
        }
    }
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

#[test]
fn decision_records_have_their_form() {
    let mut numbers = Vec::new();
    for (file, text) in records() {
        let number = &file[..4];
        let mut lines = text.lines();
        let title = lines.next().unwrap();
        assert!(title.starts_with(&format!("# {number} ")), "{file}: {title}");
        let fields: Vec<_> = lines.skip(1).take(FIELDS.len()).collect();
        for (name, line) in FIELDS.iter().zip(&fields) {
            assert!(line.starts_with(&format!("- {name}: ")), "{file}: {line:?} is not its {name}");
        }
        let status = fields[0].trim_start_matches("- Status: ");
        assert!(STATUSES.contains(&status), "{file}: {status}");
        assert_eq!(status.starts_with("superseded"), fields[3] != "- Superseded by: –", "{file}");
        let sections: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(sections, SECTIONS, "{file}");
        assert!(text.lines().count() <= 70, "{file} is too long");
        numbers.push(number.to_owned());
    }
    let distinct: BTreeSet<_> = numbers.iter().collect();
    assert_eq!(distinct.len(), numbers.len(), "a number is used twice: {numbers:?}");
}

#[test]
fn the_index_lists_every_decision_record() {
    let index = read("docs/adr/README.md");
    for (file, text) in records() {
        let title = text.lines().next().unwrap().split_once(' ').unwrap().1.split_once(' ').unwrap().1;
        let line = format!("| [{}]({file}) | {title} |", &file[..4]);
        assert!(index.lines().any(|found| found == line), "docs/adr/README.md has no line {line}");
    }
}

/// Code comments name records by number.
#[test]
fn decision_records_named_in_code_exist() {
    let known: BTreeSet<String> = records().into_iter().map(|(file, _)| file[..4].to_owned()).collect();
    let code = files().into_iter().filter(|file| has_extension(file, "rs") || has_extension(file, "sql"));
    for file in code.filter(|file| file != "crates/docket/tests/it/docs.rs") {
        for named in read(&file).split("docs/adr/").skip(1) {
            let number: String = named.chars().take_while(char::is_ascii_digit).collect();
            assert!(known.contains(&number), "{file} names docs/adr/{number}");
        }
    }
}

fn has_extension(file: &str, extension: &str) -> bool {
    Path::new(file).extension().is_some_and(|found| found == extension)
}
