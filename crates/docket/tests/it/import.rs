//! `docket import`: what comes in, what doesn't, and that it comes in once.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use devstack::testing::{TempDir, TestDatabase, temp_dir};
use serde_json::Value;
use sqlx::PgPool;

pub(crate) fn example(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples")).join(name)
}

/// A migrated database, and a folder to run in.
pub(crate) struct Import {
    pub(crate) database: TestDatabase,
    pub(crate) pool: PgPool,
    pub(crate) dir: TempDir,
}

impl Import {
    pub(crate) async fn new() -> Self {
        let template = format!("docket-cli-{}-{}", desk::schema_digest(), projections::schema_digest());
        let database = TestDatabase::create(&template, |url| async move {
            let pool = PgPool::connect(&url).await?;
            desk::migrate(&pool).await?;
            projections::MIGRATOR.run(&pool).await?;
            pool.close().await;
            Ok(())
        });
        let database = database.await;
        let pool = PgPool::connect(database.url()).await.unwrap();
        Self { database, pool, dir: temp_dir() }
    }

    /// With the sample in its log.
    pub(crate) async fn of_sample() -> Self {
        let import = Self::new().await;
        import.report(&example("helpdesk-sample.csv"));
        import
    }

    pub(crate) fn docket(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_docket"));
        command.args(args).current_dir(self.dir.path()).env("DATABASE_URL", self.database.url());
        command.env_remove("DOCKET_CONFIG").env_remove("DOCKET_LOG").env_remove("COLUMNS");
        command
    }

    fn import_args(table: &Path) -> [String; 4] {
        let map = example("helpdesk-sample.toml");
        let paths = [table, &map].map(|path| path.to_str().unwrap().to_owned());
        let [table, map] = paths;
        ["import".into(), table, "--map".into(), map]
    }

    fn spawn(&self, table: &Path) -> Child {
        let args = Self::import_args(table);
        let mut command = self.command(&args.each_ref().map(String::as_str));
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Imports a table by the sample's map.
    pub(crate) fn import(&self, table: &Path, more: &[&str]) -> Output {
        let args = Self::import_args(table);
        let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
        args.extend(more);
        self.docket(&args)
    }

    /// The report of an import, which must add up.
    pub(crate) fn report(&self, table: &Path) -> Value {
        let output = self.import(table, &["--json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report: Value = serde_json::from_str(stdout(&output).lines().last().unwrap()).unwrap();
        let count = |member: &str| report[member].as_u64().unwrap();
        assert_eq!(count("rows"), count("applied") + count("without_effect") + count("refused"), "{report}");
        assert_eq!(report["refusals"].as_array().unwrap().len() as u64, count("refused"));
        report
    }

    /// All that the log holds, but for when it was recorded.
    async fn log(&self) -> Vec<String> {
        let line =
            "select concat_ws(' ', position, stream_id, version, type, schema_version, payload, metadata, occurred_at)
                      from events order by position";
        sqlx::query_scalar(line).fetch_all(&self.pool).await.unwrap()
    }

    async fn head(&self) -> i64 {
        sqlx::query_scalar("select count(*) from events").fetch_one(&self.pool).await.unwrap()
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn sample() -> String {
    std::fs::read_to_string(example("helpdesk-sample.csv")).unwrap()
}

/// The sample's cases that many times, as different ones.
fn copies(times: usize) -> String {
    let text = sample();
    let (header, rows) = text.split_once('\n').unwrap();
    let copies: String = (0..times).map(|copy| rows.replace("A-", &format!("A{copy}-"))).collect();
    format!("{header}\n{copies}")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_applied_or_accounted_for() {
    let import = Import::new().await;
    let report = import.report(&example("helpdesk-sample.csv"));
    assert_eq!(report["rows"].as_u64().unwrap(), sample().lines().count() as u64 - 1);
    let refused: Vec<u64> = report["refusals"].as_array().unwrap().iter().map(|r| r["row"].as_u64().unwrap()).collect();
    assert_eq!(refused, [28, 40, 60, 69]);
    let reasons = ["Call customer", "05.03.2026", "can't close", "can't assign"];
    for (refusal, words) in report["refusals"].as_array().unwrap().iter().zip(reasons) {
        assert!(refusal["reason"].as_str().unwrap().contains(words), "{refusal}");
    }
    // what was applied is recorded by its row, what was not is not
    let rows: Vec<i64> =
        sqlx::query_scalar("select distinct (metadata->'cause'->>'row')::bigint from events order by 1")
            .fetch_all(&import.pool)
            .await
            .unwrap();
    assert_eq!(rows.len() as u64, report["applied"].as_u64().unwrap());
    assert!(refused.iter().all(|row| !rows.contains(&i64::try_from(*row).unwrap())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_keeps_its_time_and_its_actor() {
    let import = Import::of_sample().await;
    // the row's actor is Carla, who is registered by it; what is registered is the import's doing
    let row = "select e.type, e.metadata::jsonb->'actor' = jsonb_build_object('kind', 'agent', 'id', carla.stream_id),
                      e.occurred_at = '2026-03-02T09:12:00Z'
                 from events e, aliases carla
                where carla.scope = 'agent-handle' and carla.name = 'carla' and e.metadata::jsonb->'cause'->'row' = '7'
                order by e.position";
    let events: Vec<(String, bool, bool)> = sqlx::query_as(row).fetch_all(&import.pool).await.unwrap();
    let of_tickets: Vec<_> = events.iter().filter(|(event_type, ..)| event_type.starts_with("ticket.")).collect();
    assert!(of_tickets.len() == 2 && of_tickets.iter().all(|(_, is_hers, _)| *is_hers), "{events:?}");
    assert!(events.iter().all(|(.., is_then)| *is_then), "{events:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_changes_nothing_and_says_the_same_of_what_was_refused() {
    let import = Import::new().await;
    let first = import.report(&example("helpdesk-sample.csv"));
    let log = import.log().await;
    let second = import.report(&example("helpdesk-sample.csv"));
    assert_eq!(second["applied"], 0);
    assert_eq!(second["refusals"], first["refusals"]);
    assert_eq!(import.log().await, log);
    let people = stdout(&import.import(&example("helpdesk-sample.csv"), &[]));
    assert!(people.contains("64  imported before"), "{people}");
    assert!(people.contains("Call customer"), "{people}");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_rows_at_the_end_are_imported_alone() {
    let import = Import::new().await;
    let text = sample();
    let open = |line: &&str| ["case,", "A-111", "A-112"].iter().any(|case| line.starts_with(case));
    let lines: Vec<&str> = text.lines().filter(open).collect();
    let part = import.report(&import.file("open.csv", &lines[..4].join("\n")));
    assert_eq!((part["rows"].as_u64(), part["applied"].as_u64()), (Some(3), Some(3)));
    let whole = import.report(&import.file("open.csv", &lines.join("\n")));
    assert_eq!((whole["rows"].as_u64(), whole["applied"].as_u64()), (Some(5), Some(2)));
    let at_once = Import::new().await;
    at_once.report(&at_once.file("open.csv", &lines.join("\n")));
    assert_eq!(import.log().await, at_once.log().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_killed_again_and_again_leaves_the_log_of_one_that_was_not() {
    // large enough that it is still running when it is killed
    let killed = Import::new().await;
    let table = killed.file("large.csv", &copies(8));
    let mut kills = 0;
    for part in 1..=4 {
        let mut child = killed.spawn(&table);
        let deadline = Instant::now() + Duration::from_mins(1);
        while killed.head().await < part * 100 && child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "the import does not get on");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        kills += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(kills > 0, "it was never killed while it ran");
    let resumed = killed.report(&table);
    let whole = Import::new().await;
    let report = whole.report(&table);
    assert_eq!(resumed["refusals"], report["refusals"]);
    assert!(resumed["applied"].as_u64() < report["applied"].as_u64());
    assert_eq!(killed.log().await, whole.log().await);
    assert!(killed.docket(&["audit", "verify"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_at_once_record_each_row_once() {
    let twice = Import::new().await;
    let table = twice.file("large.csv", &copies(4));
    let mut other = twice.spawn(&table);
    let own = twice.report(&table);
    assert!(other.wait().unwrap().success());
    let once = Import::new().await;
    let report = once.report(&table);
    assert_eq!(own["refusals"], report["refusals"]);
    assert!(own["applied"].as_u64() <= report["applied"].as_u64());
    let rows = "select (metadata->'cause'->>'row')::bigint, version, type from events order by 1, 2, 3";
    let rows_of =
        async |pool: &PgPool| -> Vec<(i64, i64, String)> { sqlx::query_as(rows).fetch_all(pool).await.unwrap() };
    assert_eq!(rows_of(&twice.pool).await, rows_of(&once.pool).await);
    assert!(twice.docket(&["audit", "verify"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_from_before_its_tickets_last_event_is_refused() {
    let import = Import::new().await;
    let text = sample();
    let lines: Vec<&str> = text.lines().collect();
    // the case's second row, and then its first
    let table = import.file("back.csv", &[lines[0], lines[2], lines[1]].join("\n"));
    let report = import.report(&table);
    assert_eq!((report["applied"].as_u64(), report["refusals"][0]["row"].as_u64()), (Some(1), Some(2)));
    assert!(report["refusals"][0]["reason"].as_str().unwrap().contains("before the last event"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_read_is_named_and_nothing_is_imported() {
    let import = Import::new().await;
    let (table, map) = (example("helpdesk-sample.csv"), example("helpdesk-sample.toml"));
    let bad_map = std::fs::read_to_string(&map).unwrap().replace("\"close\"", "\"shut\"");
    let bad_map = import.file("bad.toml", &bad_map);
    let bad_table = import.file("bad.csv", &sample().replacen("resource", "person", 1));
    let missing = import.dir.path().join("none.csv");
    let cases: [(&Path, &Path, &[&str]); 4] = [
        (&table, &bad_map, &["bad.toml", "shut", "line"]),
        (&bad_table, &map, &["bad.csv, line 1", "resource", "person"]),
        (&missing, &map, &["none.csv"]),
        (&table, &missing, &["none.csv"]),
    ];
    for (table, map, words) in cases {
        let output = import.docket(&["import", table.to_str().unwrap(), "--map", map.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1));
        let text = stderr(&output);
        assert!(words.iter().all(|word| text.contains(word)), "{text} lacks one of {words:?}");
    }
    assert_eq!(import.head().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn import_strips_what_a_line_must_not_hold() {
    let import = Import::new().await;
    let header = sample().lines().next().unwrap().to_owned();
    let row = "A-1,Assign seriousness,ada,2026-03-02T08:12:00Z,medium,Cafe\u{9b}2J \u{202e}Aurora,Till,shops,standard,fault,desk,first-line";
    let report = import.report(&import.file("unsafe.csv", &format!("{header}\n{row}\n")));
    assert_eq!((report["rows"].as_u64(), report["refused"].as_u64()), (Some(1), Some(0)));
    let personal: Value = sqlx::query_scalar("select payload->'personal' from events where type = 'ticket.opened'")
        .fetch_one(&import.pool)
        .await
        .unwrap();
    let subjects: Vec<_> = personal.as_object().unwrap().values().map(|text| &text["subject"]).collect();
    assert_eq!(subjects, ["Till: fault of Cafe 2J Aurora"]);
}

/// The text of a payload without the member `personal`, which may say anything of a person.
fn impersonal(payload: &str) -> String {
    let mut payload: Value = serde_json::from_str(payload).unwrap();
    payload.as_object_mut().unwrap().remove("personal");
    payload.to_string()
}

#[tokio::test]
async fn events_name_people_by_id_only() {
    let import = Import::of_sample().await;
    let events: Vec<(String, String, String)> =
        sqlx::query_as("select type, payload::text, metadata::text from events").fetch_all(&import.pool).await.unwrap();
    let others = events.iter().filter(|(event_type, ..)| !event_type.starts_with("person."));
    let mut checked = 0;
    for (event_type, payload, metadata) in others {
        let text = impersonal(payload) + metadata;
        for private in ["@", "Cafe Aurora", "Hotel Bellavista"] {
            assert!(!text.contains(private), "{event_type}: {text}");
        }
        checked += 1;
    }
    assert!(checked > 20, "{checked}");
    let people = events.iter().filter(|(_, payload, _)| payload.contains("cafe-aurora@customers.example")).count();
    assert_eq!(people, 1, "the address stands in one event");
}

#[tokio::test]
async fn agents_and_teams_are_registered() {
    let import = Import::of_sample().await;
    let aliases: Vec<String> =
        sqlx::query_scalar("select name from aliases where scope in ('agent-handle', 'team-handle') order by name")
            .fetch_all(&import.pool)
            .await
            .unwrap();
    assert!(aliases.contains(&"ada".to_owned()) && aliases.contains(&"first-line".to_owned()), "{aliases:?}");
}
