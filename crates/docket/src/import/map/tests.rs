use super::*;
use crate::import::table::Cells;

const MINIMAL: &str = r#"
source = "old"
[columns]
case = "id"
activity = "what"
time = "when"
[actor]
role = "lead"
id = "{who}"
[open]
subject = "{title}"
body = "{title}"
priority = "{seriousness|priority}"
[values.priority]
"1" = "high"
[[rule]]
activity = "wait"
status = ["new", "open", "pending"]
commands = [{ hold = { reason = "waits" } }]
[[rule]]
activity = "wait"
commands = [{ note = { body = "waits again" } }, "unassign"]
"#;

fn error(from: &str, to: &str) -> String {
    let text = MINIMAL.replacen(from, to, 1);
    assert_ne!(text, MINIMAL, "{from:?} is not in the map");
    format!("{:#}", Map::parse(&text).unwrap_err())
}

fn says(from: &str, to: &str, words: &[&str]) {
    let error = error(from, to);
    for word in words {
        assert!(error.contains(word), "{to:?} is answered by {error:?}, without {word:?}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    says("case = ", "cases = ", &["line 4", "cases"]);
    says("role = \"lead\"", "role = \"boss\"", &["line 8", "boss", "lead"]);
    says("role = \"lead\"", "role = \"requester\"", &["[actor] role"]);
    says("hold =", "halt =", &["line 19", "halt", "hold"]);
    says("reason = \"waits\"", "why = \"waits\"", &["line 19", "why", "reason"]);
    says("\"pending\"", "\"waiting\"", &["line 18", "waiting", "on_hold"]);
    says("|priority}", "|urgency}", &["line 13", "urgency", "[values.urgency]"]);
    says("\"1\" = \"high\"", "\"1\" = \"highest\"", &["line 13", "highest", "urgent"]);
    says("\"{who}\"", "\"{who\"", &["line 9", "{who"]);
    says("source = \"old\"", "source = \" \"", &["source"]);
    says("[columns]", "closing_activity = \"end\"\n[columns]", &["closing_activity", "end"]);
    says("status = [\"new\", \"open\", \"pending\"]\n", "", &["number 2", "never"]);
}

#[test]
fn a_table_without_a_column_does_not_fit() {
    let map = Map::parse(MINIMAL).unwrap();
    map.fits(&Header::of(["id", "what", "when", "who", "title", "seriousness"]), "old.csv").unwrap();
    let error = map.fits(&Header::of(["id", "what", "who", "title"]), "old.csv").unwrap_err().to_string();
    assert!(error.contains("old.csv, line 1") && error.contains("seriousness, when;"), "{error}");
}

#[test]
fn the_first_rule_that_fits_the_status_wins() {
    let map = Map::parse(MINIMAL).unwrap();
    let header = Header::of(["who"]);
    let record = csv::StringRecord::from(vec!["ada"]);
    let from = Source { cells: Cells::new(&header, &record), values: &map.values };
    let kinds = |activity, status| {
        let commands = map.commands(from, activity, status)?;
        Ok::<_, String>(commands.iter().map(|command| command.kind().as_str()).collect::<Vec<_>>())
    };
    assert_eq!(kinds("wait", Status::Open).unwrap(), ["hold"]);
    assert_eq!(kinds("wait", Status::OnHold).unwrap(), ["note", "unassign"]);
    assert!(kinds("wonder", Status::Open).unwrap_err().contains("wonder"));
}

#[test]
fn the_examples_are_right() {
    let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    for name in ["helpdesk-italy.toml", "helpdesk-sample.toml"] {
        Map::load(&examples.join(name)).unwrap();
    }
}
