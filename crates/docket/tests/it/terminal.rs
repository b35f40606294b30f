//! Text from events and keys that could steer a terminal or read as something else.

use sqlx::Executor;

use crate::import::{Import, stderr, stdout};

/// A bidi override, an escape sequence by a C1 control, an invisible character.
const NASTY: &str = "a\u{202e}b\u{9b}31mc\u{200b}d";
const SHOWN: &str = "a<U+202E>b<U+009B>31mc<U+200B>d";

fn assert_safe(text: &str) {
    let is_raw = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{200b}');
    assert!(!text.contains(is_raw), "{text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn invisible_characters_are_shown_by_every_command() {
    let import = Import::of_sample().await;
    let mut connection = import.pool.acquire().await.unwrap();
    // as the owner, past the triggers and the rules that refuse such text
    connection.execute("alter table events disable trigger all").await.unwrap();
    let tampered = "update events set
        payload = replace(payload::text, 'fault of Hotel Bellavista', $1)::json,
        metadata = jsonb_set(metadata::jsonb, '{actor,id}', to_jsonb($1))::json where stream_type = 'ticket'";
    sqlx::query(tampered).bind(NASTY).execute(&mut *connection).await.unwrap();
    let key = import.docket(&["keys", "create", "--role", "agent", "--name", "kim", "--label", "LABEL"]);
    assert!(key.status.success(), "{}", stderr(&key));
    let tampered =
        "update events set payload = replace(payload::text, 'LABEL', $1)::json where type = 'api_key.created'";
    sqlx::query(tampered).bind(NASTY).execute(&mut *connection).await.unwrap();

    let replay: &[&str] = &["audit", "replay", "2"];
    let commands: [&[&str]; 4] =
        [replay, &["audit", "replay", "2", "--diff"], &["keys", "list"], &["events", "tail", "-n", "100"]];
    for command in commands {
        let output = import.docket(command);
        assert!(output.status.success(), "{command:?}: {}", stderr(&output));
        let text = stdout(&output);
        assert_safe(&text);
        assert!(text.contains(SHOWN), "{command:?}: {text}");
        let json = stdout(&import.docket(&[command, &["--json"]].concat()));
        assert_safe(&json);
        assert!(json.contains("a\\u202eb\\u009b31mc\\u200bd"), "{command:?}: {json}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn import_report_and_errors_show_invisible_characters() {
    let import = Import::new().await;
    let table = std::fs::read_to_string(crate::import::example("helpdesk-sample.csv")).unwrap();
    let table = import.file("nasty.csv", &table.replace("Call customer", NASTY));
    for more in [&[][..], &["--json"]] {
        let output = import.import(&table, more);
        assert_safe(&stdout(&output));
        assert!(stdout(&output).contains("the map has no rule for the activity"), "{}", stdout(&output));
    }
    let output = import.docket(&["import", NASTY, "--map", NASTY]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(SHOWN), "{}", stderr(&output));
    assert_safe(&stderr(&output));
}
