//! What the source of this crate must not hold.

use std::path::Path;

fn files(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn there_is_no_sql_in_the_api() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    files(&root.join("src"), &mut sources);
    assert!(sources.len() > 20);
    for (path, text) in &sources {
        for (number, line) in text.lines().enumerate() {
            let code = line.trim_start();
            // prose speaks of selecting and updating, too: a statement has its other half
            let lower = code.to_lowercase();
            let halves =
                [("\"select ", " from "), ("\"insert into ", "("), ("\"update ", " set "), ("\"delete from ", "")];
            let statement = halves.iter().any(|(one, other)| lower.contains(one) && lower.contains(other));
            let sql = code.contains("sqlx") || code.contains("PgPool") || statement;
            assert!(!sql || code.starts_with("//"), "{path}:{}: {line}", number + 1);
        }
    }
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let (dependencies, _) = manifest.split_once("[dev-dependencies]").unwrap();
    assert!(!dependencies.contains("sqlx"), "only the tests may know the database");
}
