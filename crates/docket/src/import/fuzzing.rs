//! The files of an import as targets of `tools/fuzz/`: bytes in, and what must hold of whatever is made of them.

use chrono::Datelike;
use ticket_aggregate::{Status, TicketNumber};

use super::action::Source;
use super::map::Map;
use super::reading::Reading;
use super::table::{Cells, Header, Table};

/// A target and its name.
#[cfg(test)]
type Target = (&'static str, fn(&[u8]));

/// The names of the targets.
#[cfg(test)]
const TARGETS: &[Target] = &[("import_map", import_map), ("import_table", import_table)];

const SAMPLE: &str = include_str!("../../../../examples/helpdesk-sample.toml");

/// What a fault of a map that parses is about: the key stands in the message.
const KEYS: [&str; 4] = ["source is blank", "[actor] role", "closing_activity", "[[rule]]"];

/// A map: a fault says at which line, or by which key; a sound one gives commands or a reason for any row.
pub(crate) fn import_map(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let map = match Map::parse(text) {
        Ok(map) => map,
        Err(fault) => {
            let said = format!("{fault:#}");
            assert!(said.contains("line ") || KEYS.iter().any(|key| said.contains(key)), "{said}");
            return;
        }
    };
    let headers = [["", "-"], [map.columns.time.as_str(), map.columns.case.as_str()]].map(header);
    let record = csv::StringRecord::from(vec!["2026-01-31T09:30:00Z", "a İ\u{0}"]);
    for header in headers.into_iter().flatten() {
        let missing = map.fits(&header, "old.csv").err().map(|fault| fault.to_string()).unwrap_or_default();
        assert!(missing.is_empty() || missing.contains("old.csv, line 1"), "{missing}");
        let cells = Cells::new(&header, &record);
        let from = Source { cells, values: &map.values };
        let number = TicketNumber::try_from(7);
        let reason = number.ok().and_then(|number| map.opening(from, "7", number).err());
        assert!(reason.is_none_or(|reason| !reason.is_empty()));
        for status in Status::ALL {
            for activity in ["", "a", "Close ticket", "Insert ticket", "wait"] {
                let reason = map.commands(from, activity, *status).err();
                assert!(reason.is_none_or(|reason| !reason.is_empty()));
            }
        }
        let reason = Reading::of(&map, 1, cells).err();
        assert!(reason.is_none_or(|reason| !reason.is_empty()));
    }
}

/// The header of a table with these columns, where there can be such a table.
fn header(columns: [&str; 2]) -> Option<Header> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(columns).ok()?;
    let table = table.into_inner().ok()?;
    Some(Table::read("old.csv".to_owned(), table.as_slice()).ok()?.header().clone())
}

/// A table: its rows are numbered from 1 and all there; a fault says at which line, or in which column; a time is one
/// that the log can keep.
pub(crate) fn import_table(data: &[u8]) {
    let Ok(map) = Map::parse(SAMPLE) else { unreachable!("the sample is sound") };
    let mut table = match Table::read("old.csv".to_owned(), data) {
        Ok(table) => table,
        Err(fault) => {
            let said = format!("{fault:#}");
            assert!(said.contains("old.csv") && said.contains("line"), "{said}");
            return;
        }
    };
    if let Err(fault) = map.fits(table.header(), "old.csv") {
        assert!(fault.to_string().contains("old.csv, line 1"), "{fault}");
    }
    for number in 1.. {
        let record = match table.next() {
            Ok(Some(record)) => record,
            Ok(None) => return,
            Err(fault) => {
                assert!(fault.to_string().contains("line "), "{fault}");
                return;
            }
        };
        assert_eq!(record.number, number);
        let reading = record.cells.as_ref().map_err(Clone::clone);
        let reading = reading.and_then(|cells| Reading::of(&map, number, Cells::new(table.header(), cells)));
        match reading {
            Ok(reading) => {
                assert!((0..=9_999).contains(&reading.time.year()), "{}", reading.time);
                assert_eq!(reading.time.timestamp_subsec_nanos() % 1_000, 0);
                assert!(!reading.case.is_empty());
            }
            Err(reason) => assert!(reason.contains("column") || reason.contains("[values."), "{reason}"),
        }
    }
}

#[cfg(test)]
mod tests;
