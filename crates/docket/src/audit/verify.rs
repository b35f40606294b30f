//! `docket audit verify`: the whole log against its invariants.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use comfy_table::Table;
use desk::{AuditReport, Desk, Finding};
use projections::Projections;

use crate::terminal::{counted, grid, grouped, json, printable, progress_bar};

/// Further findings are only counted.
const KEPT: usize = 1_000;

/// The exit code if there are findings.
const BROKEN: u8 = 2;

/// Verify the whole log against its invariants.
///
/// Reads every event and checks that positions and versions have no gap, that times don't run backwards, that events and
/// metadata can be decoded, that the state machine allows every step, that receipts and aliases refer to events, and that
/// read models equal the fold of what they have read. Nothing is changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes:\n  \
    0  no findings\n  \
    1  the log could not be read\n  \
    2  an invariant is broken; the findings say which and where")]
pub(crate) struct Args {
    /// Print the report as one JSON object: events, streams, broken, findings
    #[arg(long)]
    json: bool,
}

/// Verifies, and prints what it found.
pub(crate) async fn run(desk: &Desk, read_models: &Projections, args: &Args) -> anyhow::Result<ExitCode> {
    let report = verify(desk, read_models, args.json).await?;
    let mut out = anstream::stdout().lock();
    if args.json {
        writeln!(out, "{}", json(&report)?)?;
    } else {
        print(&mut out, &report)?;
    }
    Ok(if report.broken == 0 { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}

async fn verify(desk: &Desk, read_models: &Projections, quiet: bool) -> anyhow::Result<AuditReport> {
    let head = desk.store().head().await?;
    // each event is read twice: in log order, and by stream
    let bar = progress_bar(head.0.unsigned_abs() * 2, "readings", quiet);
    let mut report = desk.verify(|done| bar.set_position(done)).await.context("the log can't be read to its end")?;
    bar.finish_and_clear();
    // each read model reads the log once
    let readings = head.0.unsigned_abs() * projections::names().count() as u64;
    let bar = progress_bar(readings, "readings for the read models", quiet);
    let differences =
        read_models.verify(|done| bar.set_position(done)).await.context("the read models can't be read")?;
    bar.finish_and_clear();
    report.broken += differences.len() as u64;
    report.findings.extend(differences.into_iter().map(|difference| Finding {
        rule: "read_model_differs",
        position: None,
        stream_type: None,
        stream: difference.stream,
        version: None,
        detail: format!("{}: {}", difference.projection, difference.detail),
    }));
    report.findings.truncate(KEPT);
    Ok(report)
}

fn print(out: &mut impl Write, report: &AuditReport) -> anyhow::Result<()> {
    if !report.findings.is_empty() {
        writeln!(out, "{}", table(&report.findings))?;
    }
    let kept = report.findings.len() as u64;
    if report.broken > kept {
        writeln!(out, "Showing the first {} of {} findings.", grouped(kept), grouped(report.broken))?;
    }
    let (events, streams) = (counted(report.events, "event"), counted(report.streams, "stream"));
    let verdict = match report.broken {
        0 => "no findings".to_owned(),
        found => counted(found, "finding"),
    };
    Ok(writeln!(out, "{events} in {streams}: {verdict}")?)
}

fn table(findings: &[Finding]) -> Table {
    let mut table = grid(["rule", "position", "stream", "version", "finding"], &[1, 3]);
    for finding in findings {
        let position = finding.position.map_or_else(String::new, |position| position.to_string());
        let stream =
            [finding.stream_type.map(|kind| kind.to_string()), finding.stream.map(|stream| stream.to_string())];
        let stream = stream.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let version = finding.version.map_or_else(String::new, |version| version.to_string());
        table.add_row([finding.rule.to_owned(), position, stream, version, printable(&finding.detail)]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(report: &AuditReport) -> String {
        let mut out = Vec::new();
        print(&mut out, report).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn sound_log_is_one_line() {
        let report = AuditReport { events: 21_348, streams: 1, ..AuditReport::default() };
        assert_eq!(printed(&report), "21,348 events in 1 stream: no findings\n");
    }

    #[test]
    fn findings_are_a_table() {
        let finding = Finding {
            rule: "version_gap",
            position: Some(eventstore::Position(7)),
            stream_type: None,
            stream: None,
            version: Some(eventstore::Version(3)),
            detail: "follows on version 1\u{1b}[2J".into(),
        };
        let report = AuditReport { events: 9, streams: 2, broken: 1_001, findings: vec![finding] };
        let text = printed(&report);
        assert!(text.contains("version_gap") && text.contains("follows on version 1"), "{text}");
        assert!(text.contains("Showing the first 1 of 1,001 findings."), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
