//! A row as the map reads it, and a survey of all cases of the table.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use desk::TicketCommand;
use shared_kernel::Handle;
use ticket_aggregate::{Status, Ticket, TicketNumber};

use super::action::Source;
use super::map::Map;
use super::table::{Cells, Table};

/// What a row says, independently of its ticket.
pub(super) struct Reading<'a> {
    pub(super) row: u64,
    pub(super) case: &'a str,
    pub(super) time: DateTime<Utc>,
    pub(super) actor: Handle,
    activity: &'a str,
    cells: Cells<'a>,
}

/// Times that are needed before their rows are read.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// How many rows there are.
    pub(super) rows: u64,
    cases: HashMap<String, Outline>,
}

#[derive(Debug)]
struct Outline {
    began: DateTime<Utc>,
    /// The rows that close the case.
    closings: Vec<(u64, DateTime<Utc>)>,
}

impl<'a> Reading<'a> {
    pub(super) fn of(map: &Map, row: u64, cells: Cells<'a>) -> Result<Self, String> {
        let filled = |column: &str| match cells.get(column).trim() {
            "" => Err(format!("the column {column} is empty")),
            text => Ok(text),
        };
        let case = filled(&map.columns.case)?;
        let activity = filled(&map.columns.activity)?;
        let time = parse_time(&map.columns.time, filled(&map.columns.time)?)?;
        let actor = Source { cells, values: &map.values }.value(&map.actor.id)?;
        Ok(Self { row, case, time, actor, activity, cells })
    }

    /// The row's commands for the ticket before it.
    pub(super) fn commands(
        &self,
        map: &Map,
        ticket: Option<&Ticket>,
        number: TicketNumber,
    ) -> Result<Vec<TicketCommand>, String> {
        if let Some(last) = ticket.map(|ticket| ticket.updated_at).filter(|last| self.time < *last) {
            let (time, last) = (shown(self.time), shown(last));
            return Err(format!("it happened at {time}, before the last event of its ticket at {last}"));
        }
        let from = Source { cells: self.cells, values: &map.values };
        let status = ticket.map_or(Status::New, |ticket| ticket.status);
        let mut commands = Vec::new();
        if ticket.is_none() {
            commands.push(map.opening(from, self.case, number)?);
        }
        commands.extend(map.commands(from, self.activity, status)?);
        Ok(commands)
    }
}

impl Survey {
    /// Reads the whole table once.
    pub(super) fn of(map: &Map, table: &mut Table) -> anyhow::Result<Self> {
        let mut survey = Self::default();
        while let Some(record) = table.next()? {
            survey.rows = record.number;
            let Ok(record_cells) = &record.cells else { continue };
            if let Ok(reading) = Reading::of(map, record.number, Cells::new(table.header(), record_cells)) {
                survey.add(map, &reading);
            }
        }
        Ok(survey)
    }

    fn add(&mut self, map: &Map, reading: &Reading<'_>) {
        if !self.cases.contains_key(reading.case) {
            let outline = Outline { began: reading.time, closings: Vec::new() };
            self.cases.insert(reading.case.to_owned(), outline);
        }
        if map.closing_activity.as_deref() == Some(reading.activity)
            && let Some(outline) = self.cases.get_mut(reading.case)
        {
            outline.closings.push((reading.row, reading.time));
        }
    }

    /// The time of the case's first row.
    pub(super) fn began(&self, reading: &Reading<'_>) -> DateTime<Utc> {
        self.cases.get(reading.case).map_or(reading.time, |outline| outline.began)
    }

    /// When the old system closed the case next; it could be reopened until then.
    pub(super) fn closes(&self, reading: &Reading<'_>) -> Option<DateTime<Utc>> {
        let closings = &self.cases.get(reading.case)?.closings;
        let next = closings.iter().find(|(row, time)| *row >= reading.row && *time >= reading.time);
        next.map(|(_, time)| *time)
    }
}

fn parse_time(column: &str, text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text)
        .map_err(|_| format!("the column {column} has {text:?}, which is not a time such as 2012-10-09T14:50:17Z"))?;
    // as the log stores it: in microseconds, without leap seconds
    let kept = DateTime::from_timestamp_micros(time.timestamp_micros());
    // the offset may move it beyond the years of RFC 3339
    kept.filter(|time| (0..=9_999).contains(&time.year()))
        .ok_or_else(|| format!("the column {column} has {text:?}, which is outside of the years 0 to 9999 in UTC"))
}

fn shown(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
