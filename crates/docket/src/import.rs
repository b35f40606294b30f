//! `docket import`: the history of another system, row by row.
//!
//! A map defines what a row means. Each row is appended as one unit with its own time and actor, and with the cause
//! `{"kind": "import", "source": …, "row": …}`. The cause makes the import idempotent: a row that is recorded is not imported
//! again, and an interrupted import resumes where it stopped.

mod action;
#[cfg(test)]
mod fuzzing;
mod ids;
mod importer;
mod map;
mod names;
mod past;
mod reading;
mod report;
mod table;
mod template;

use std::path::PathBuf;
use std::process::ExitCode;

use desk::Desk;
use shared_kernel::{Actor, Principal};

use crate::terminal::progress_bar;
use importer::Importer;
use map::Map;
use reading::{Reading, Survey};
use report::{Fate, Report};
use table::{Cells, Table};

/// The kind of the cause of imported events.
const SOURCE_KIND: &str = "import";

/// Import the ticket history of another system from a CSV file
///
/// Each row is one thing that happened to a ticket. The map defines the columns, and the commands for each kind of row. A
/// row keeps its time and actor.
///
/// Rows are numbered from 1, without the header. A row is imported once, by the map's `source` and its number: an interrupted
/// import resumes when it is run again, and a finished one changes nothing. Keep the order of the rows; append new ones.
///
/// The report counts every row as applied, without effect or refused. Refused rows don't stop the import.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes:\n  \
    0  the import finished; the report lists refused rows\n  \
    1  the file or the map can't be read, or the database was lost; run it again to resume\n\n\
    Example:\n  docket import examples/helpdesk-sample.csv --map examples/helpdesk-sample.toml")]
pub(crate) struct Args {
    /// CSV file with a header line, in UTF-8
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,

    /// TOML file that maps columns and rows (examples/helpdesk-italy.toml explains every part)
    #[arg(long, value_name = "MAP.toml")]
    map: PathBuf,

    /// Print the report as one JSON object on the last line
    #[arg(long)]
    json: bool,
}

/// Imports, and prints the report.
pub(crate) async fn run(desk: &Desk, args: &Args) -> anyhow::Result<ExitCode> {
    let map = Map::load(&args.map)?;
    let mut table = Table::open(&args.file)?;
    map.fits(table.header(), &args.file.display().to_string())?;
    let survey = Survey::of(&map, &mut table)?;
    // the survey has read the table to its end
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

/// The caller of the import's reads, and of what it registers.
fn importer() -> Principal {
    Principal::new(Actor::system("import"))
}
