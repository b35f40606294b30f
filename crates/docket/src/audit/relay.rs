//! `docket audit relay`: the broker's stream against the log.

use std::io::Write;
use std::process::ExitCode;

use comfy_table::Table;
use desk::Desk;
use relay::{AuditReport, Finding};

use crate::config::Config;
use crate::hint::hint;
use crate::relay::{find, settings};
use crate::terminal::{counted, grid, grouped, json, printable, progress_bar};

/// The exit code if the stream differs from the log.
const BROKEN: u8 = 2;

/// Compare the broker's stream with the log, message by message
///
/// Finds messages that are missing, that differ from their event, or that have no event, and events at the end that nobody
/// publishes. Nothing is changed, and a running relay is not disturbed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes:\n  \
    0  the stream equals the log\n  \
    1  the log or the stream could not be read\n  \
    2  they differ; the findings say where")]
pub(crate) struct Args {
    /// Print the report as one JSON object: messages, events, broken, findings
    #[arg(long)]
    json: bool,
}

/// Compares, and prints what it found.
pub(crate) async fn run(desk: &Desk, config: &Config, args: &Args) -> anyhow::Result<ExitCode> {
    let url = find(config)
        .ok_or_else(|| hint("there is no broker", "Name one with --nats-url or NATS_URL, or run `docket serve`."))?;
    let source = crate::relay::source(desk).await?;
    let head = desk.store().head().await?;
    let bar = progress_bar(head.0.unsigned_abs(), "messages", args.json);
    let report = relay::audit(desk.store(), &settings(config, url, source), |done| bar.set_position(done)).await?;
    bar.finish_and_clear();
    let mut out = anstream::stdout().lock();
    if args.json {
        writeln!(out, "{}", json(&report)?)?;
    } else {
        print(&mut out, &report)?;
    }
    Ok(if report.broken == 0 { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}

fn print(out: &mut impl Write, report: &AuditReport) -> anyhow::Result<()> {
    if !report.findings.is_empty() {
        writeln!(out, "{}", table(&report.findings))?;
    }
    let kept = report.findings.len() as u64;
    if report.broken > kept {
        writeln!(out, "Showing the first {} of {} findings.", grouped(kept), grouped(report.broken))?;
    }
    let verdict = match report.broken {
        0 => "the stream equals the log".to_owned(),
        found => counted(found, "finding"),
    };
    Ok(writeln!(out, "{}, {}: {verdict}", counted(report.messages, "message"), counted(report.events, "event"))?)
}

fn table(findings: &[Finding]) -> Table {
    let mut table = grid(["rule", "position", "finding"], &[1]);
    for finding in findings {
        let position = finding.position.map_or_else(String::new, |position| position.to_string());
        table.add_row([finding.rule.to_owned(), position, printable(&finding.detail)]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_stream_is_one_line_and_findings_are_a_table() {
        let printed = |report: &AuditReport| {
            let mut out = Vec::new();
            print(&mut out, report).unwrap();
            String::from_utf8(out).unwrap()
        };
        let mut report = AuditReport { messages: 21_348, events: 21_348, ..AuditReport::default() };
        assert_eq!(printed(&report), "21,348 messages, 21,348 events: the stream equals the log\n");
        let position = Some(eventstore::Position(7));
        report.findings = vec![Finding { rule: "difference", position, detail: "its data\u{1b}[2J".into() }];
        report.broken = 1_001;
        let text = printed(&report);
        assert!(text.contains("difference") && text.contains("Showing the first 1 of 1,001 findings."), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
