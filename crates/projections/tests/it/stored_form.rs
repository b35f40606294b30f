//! The stored form of each read model, pinned with its schema version.
//!
//! A row that an older program wrote must be rewritten when the program's form changes, and only a raised schema version
//! does that. Each golden file `tests/golden/<model>.v<schema version>.txt` has the columns, the constraints, the indexes,
//! and the rows of a sample log in which each event type stands on a record of its own, and one ticket runs through a
//! whole life. Read models come from the registry: a new one needs a golden file, too.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use agent_aggregate::Agent;
use eventstore::{NewEvent, StreamId};
use person_aggregate::Person;
use settings_aggregate::{Setting, Team};
use shared_kernel::{Aggregate, DomainEvent, EventType};
use sqlx::{AssertSqlSafe, PgPool, Row};
use ticket_aggregate::Ticket;
use uuid::Uuid;

use crate::rebuilds::served;
use crate::world::{World, at};

/// Writes golden files that are missing, and adds rows. A line that is there is never changed.
const WRITE: &str = "WRITE_GOLDEN";

#[tokio::test(flavor = "multi_thread")]
async fn stored_form_matches_schema_version() {
    let world = World::new().await;
    for (stream_type, name, events) in sample_streams() {
        world.append(stream_type, StreamId(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())), events).await;
    }
    let process = world.process().await;
    let head = world.store.head().await.unwrap();
    for name in projections::names() {
        // the form depends on the log alone, not on the batches of a live projector
        let generation = process.reader.rebuild(name).await.unwrap().unwrap();
        served(&process.reader, name, generation).await;
        let all = process.reader.status().await.unwrap();
        let status = all.iter().find(|status| status.name == name && status.generation == generation).unwrap();
        assert_eq!((status.position, status.parked_streams), (head, 0), "{name} has applied the whole sample");
        let form = stored_form(&world.pool, name, generation).await;
        compare(name, status.schema_version, &form);
    }
}

fn compare(name: &str, schema_version: i32, form: &str) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let file = golden.join(format!("{name}.v{schema_version}.txt"));
    let write = std::env::var_os(WRITE).is_some();
    if !file.exists() && write {
        std::fs::create_dir_all(&golden).unwrap();
        std::fs::write(&file, form).unwrap();
    }
    let Ok(pinned) = std::fs::read_to_string(&file) else {
        panic!("{} is missing: write it with {WRITE}=1, and remove the one of the version before", file.display());
    };
    let (before, now) = (pinned.lines().collect::<Vec<_>>(), form.lines().collect::<Vec<_>>());
    let gone: Vec<_> = before.iter().filter(|line| !now.contains(line)).collect();
    let new: Vec<_> = now.iter().filter(|line| !before.contains(line)).collect();
    assert!(
        gone.is_empty() && new.iter().all(|line| line.starts_with('{')),
        "the stored form of {name} has changed, but its schema version is still {schema_version}: rows that are stored \
         already would stay as they are. Raise `schema_version` of the model, then write the new golden file with \
         {WRITE}=1.\ngone: {gone:#?}\nnew: {new:#?}"
    );
    // the rows of a new event type change nothing that is stored already
    if pinned != form && write {
        std::fs::write(&file, form).unwrap();
    }
    assert!(pinned == form || write, "{} lacks rows: add them with {WRITE}=1: {new:#?}", file.display());
}

/// The tables of a generation: columns, constraints, indexes, and rows.
async fn stored_form(pool: &PgPool, name: &str, generation: i32) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "select tablename from pg_tables where schemaname = 'read_models' and tablename ~ ('^' || $1 || '(_[a-z]+)?_' || $2 || '$')
          order by 1",
    )
    .bind(name)
    .bind(generation.to_string())
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(!tables.is_empty(), "the tables of {name} are named after it");
    let mut form = String::new();
    for table in tables {
        let title = table.trim_end_matches(char::is_numeric).trim_end_matches('_');
        writeln!(form, "== {title}").unwrap();
        let definitions = sqlx::query(
            "select format('%s %s%s', a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then ' not null' end)
               from pg_attribute a where a.attrelid = $1::regclass and a.attnum > 0
             union all
             select * from (select replace(indexdef, '_' || $2, '') from pg_indexes
                             where schemaname = 'read_models' and tablename = $3 order by indexname) indexes",
        )
        .bind(format!("read_models.{table}"))
        .bind(generation.to_string())
        .bind(&table)
        .fetch_all(pool)
        .await
        .unwrap();
        for definition in definitions {
            writeln!(form, "{}", definition.get::<String, _>(0)).unwrap();
        }
        // position and count depend on how many other samples there are
        let row = "(to_jsonb(t) - 'position' - 'count')::text collate \"C\"";
        let rows = format!("select {row} from read_models.{table} t order by 1");
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_all(pool).await.unwrap();
        for row in rows {
            writeln!(form, "{row}").unwrap();
        }
    }
    form
}

/// Streams of samples, each with its type and name.
type Streams = Vec<(&'static str, &'static str, Vec<NewEvent>)>;

/// A stream for each event type of each aggregate, and one ticket that runs through a life.
fn sample_streams() -> Streams {
    let mut streams = vec![life()];
    streams.extend(future_timers());
    streams.extend(streams_of::<Ticket>("ticket-aggregate"));
    streams.extend(streams_of::<Person>("person-aggregate"));
    streams.extend(streams_of::<Agent>("agent-aggregate"));
    streams.extend(streams_of::<Setting<Team>>("settings-aggregate"));
    streams
}

/// A stream for each event type, in which it follows on the first one.
fn streams_of<A: Aggregate>(package: &str) -> Streams {
    let samples = samples(package);
    let types = <A::Event as DomainEvent>::TYPES;
    let sample = |event_type: &EventType| {
        let newest = samples.get(event_type.name);
        newest.unwrap_or_else(|| panic!("{} has a sample", event_type.name)).clone()
    };
    let stream = |event_type: &EventType| {
        let mut events = vec![sample(&types[0])];
        if event_type.name != types[0].name {
            events.push(sample(event_type));
        }
        (A::TYPE, event_type.name, events)
    };
    types.iter().map(stream).collect()
}

fn life() -> (&'static str, &'static str, Vec<NewEvent>) {
    let samples = samples("ticket-aggregate");
    let life = [
        "opened",
        "team_assigned",
        "agent_assigned",
        "work_started",
        "public_reply_added",
        "pended",
        "requester_replied",
        "put_on_hold",
        "resumed",
        "internal_note_added",
        "resolved",
        "reopened",
        "resolved",
        "closed",
    ];
    (Ticket::TYPE, "life", life.map(|verb| samples[&format!("ticket.{verb}")].clone()).into())
}

/// Tickets with a timer that no test lives to see. Those of the samples are past: history sets no such timers.
fn future_timers() -> [(&'static str, &'static str, Vec<NewEvent>); 2] {
    let samples = samples("ticket-aggregate");
    let ticket = |name, event_type: &str, member: &str| {
        let sample = samples[event_type].clone();
        let mut payload: serde_json::Value = serde_json::from_str(&sample.payload).unwrap();
        payload[member] = "2099-01-01T00:00:00Z".into();
        let event = NewEvent { payload: payload.to_string(), ..sample };
        (Ticket::TYPE, name, vec![samples["ticket.opened"].clone(), event])
    };
    [ticket("wakes", "ticket.put_on_hold", "wake_at"), ticket("closes", "ticket.resolved", "reopen_until")]
}

/// A sample of each event type of an aggregate: its golden file, of the newest schema version.
fn samples(package: &str) -> BTreeMap<String, NewEvent> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(package).join("tests/golden");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut samples = BTreeMap::new();
    for file in files {
        // <event type>.v<schema version>.json
        let name = file.file_stem().unwrap().to_str().unwrap();
        let (event_type, schema_version) = name.rsplit_once(".v").unwrap();
        let event = NewEvent {
            event_type: event_type.to_owned(),
            schema_version: schema_version.parse().unwrap(),
            payload: std::fs::read_to_string(&file).unwrap(),
            occurred_at: at(0),
        };
        samples.insert(event_type.to_owned(), event);
    }
    samples
}
