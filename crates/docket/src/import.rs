//! `docket import`: another system's history, row by row.
//!
//! A map says what each row is here. A row becomes one unit of the log, with its own time and actor as recorded facts
//! and `{"kind": "import", "source": …, "row": …}` as its cause. That cause is also the memory: what is recorded is
//! not imported again, and an import that was killed goes on where it stopped.

mod action;
#[cfg(test)]
mod fuzzing;
mod ids;
mod importer;
mod map;
mod past;
mod reading;
mod report;
mod table;
mod template;

use shared_kernel::Role;
use std::path::PathBuf;
use std::process::ExitCode;

use desk::{Caller, Desk};

use crate::terminal::progress_bar;
use importer::Importer;
use map::Map;
use reading::{Reading, Survey};
use report::{Fate, Report};
use table::{Cells, Table};

/// The kind of cause that imported events have.
const SOURCE_KIND: &str = "import";

/// Import another system's history of tickets from a CSV file.
///
/// Each row of the file is one thing that happened to a ticket. The map says which column holds what, and which
/// commands each kind of row becomes. A row keeps its own time and its own actor.
///
/// Rows are numbered from 1, the header not counted. A row is imported once, by the map's `source` and the row's number:
/// run the same import again after it was interrupted and it goes on where it stopped; run it once more and it changes
/// nothing. So keep rows where they are; new ones go to the end of the file.
///
/// The report adds up: every row is applied, without effect, or refused with its reason. Refused rows don't stop the
/// import.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes:\n  \
    0  the import ran to its end; rows that were refused are in the report\n  \
    1  the file or the map can't be read, or the database went away: run it again, and it goes on\n\n\
    Example:\n  docket import examples/helpdesk-sample.csv --map examples/helpdesk-sample.toml")]
pub(crate) struct Args {
    /// The table: CSV with a header line, in UTF-8
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,

    /// The map: what the table's columns and rows mean (examples/helpdesk-italy.toml explains every part)
    #[arg(long, value_name = "MAP.toml")]
    map: PathBuf,

    /// Print the report as one JSON object, on the last line
    #[arg(long)]
    json: bool,
}

/// Imports, and prints the report.
pub(crate) async fn run(desk: &Desk, args: &Args) -> anyhow::Result<ExitCode> {
    let map = Map::load(&args.map)?;
    let mut table = Table::open(&args.file)?;
    map.fits(table.header(), &args.file.display().to_string())?;
    let survey = Survey::of(&map, &mut table)?;
    // a second time from the start
    let report = import(desk, &map, &survey, Table::open(&args.file)?, args.json).await?;
    let mut out = anstream::stdout().lock();
    if args.json {
        report.print_json(&mut out)?;
    } else {
        report.print(&mut out, &args.file.display().to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn import(desk: &Desk, map: &Map, survey: &Survey, mut table: Table, quiet: bool) -> anyhow::Result<Report> {
    let bar = progress_bar(survey.rows, "rows", quiet);
    let mut importer = Importer::new(desk, map, survey).await?;
    let mut report = Report::default();
    while let Some(record) = table.next()? {
        let fate = match &record.cells {
            Err(reason) => Fate::Refused(reason.clone()),
            Ok(cells) => match Reading::of(map, record.number, Cells::new(table.header(), cells)) {
                Err(reason) => Fate::Refused(reason),
                Ok(reading) => importer.row(&reading).await?,
            },
        };
        report.add(record.number, fate);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(report)
}

/// As whom the command line reads.
fn reader() -> Caller {
    Caller {
        scope: "cli".to_owned(),
        role: Role::System,
        id: "cli".to_owned(),
        name: None,
        teams: std::collections::BTreeSet::new(),
    }
}
