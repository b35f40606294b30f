//! The CSV file, row by row. A row that can't be read is reported, not skipped.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use csv::{ByteRecord, StringRecord};

/// The names of the columns.
#[derive(Clone, Debug)]
pub(super) struct Header(Vec<String>);

/// One row, by the names of its columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cells<'a> {
    header: &'a Header,
    record: &'a StringRecord,
}

/// A data row of the file.
#[derive(Debug)]
pub(super) struct Record {
    /// 1 for the first row after the header.
    pub(super) number: u64,
    /// The cells, or why they can't be read.
    pub(super) cells: Result<StringRecord, String>,
}

/// The file, or another reader in tests.
pub(super) struct Table<R = File> {
    name: String,
    header: Header,
    reader: csv::Reader<R>,
    bytes: ByteRecord,
    number: u64,
}

impl Header {
    #[cfg(test)]
    pub(super) fn of<const N: usize>(names: [&str; N]) -> Self {
        Self(names.map(str::to_owned).to_vec())
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.0.iter().any(|name| name == column)
    }

    /// The columns, separated by commas.
    pub(super) fn listed(&self) -> String {
        self.0.join(", ")
    }
}

impl<'a> Cells<'a> {
    pub(super) fn new(header: &'a Header, record: &'a StringRecord) -> Self {
        Self { header, record }
    }

    /// The text in a column. [`Map::fits`](super::map::Map::fits) has checked that the column exists.
    pub(super) fn get(self, column: &str) -> &'a str {
        let index = self.header.0.iter().position(|name| name == column);
        index.and_then(|index| self.record.get(index)).unwrap_or_default()
    }
}

impl Table {
    /// Opens the file and reads its header.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("{name} can't be opened"))?;
        Self::read(name, file)
    }
}

impl<R: Read> Table<R> {
    /// Reads the header.
    pub(super) fn read(name: String, file: R) -> anyhow::Result<Self> {
        // rows of another length are reported one by one
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
        let header = reader.headers().with_context(|| format!("{name}, line 1: the header can't be read"))?;
        let header: Vec<String> = header.iter().map(|column| column.trim().to_owned()).collect();
        if header.iter().all(String::is_empty) {
            bail!("{name} is empty: its first line must name the columns");
        }
        if let Some(twice) = (1..header.len()).find(|at| header[..*at].contains(&header[*at])) {
            let column = &header[twice];
            bail!("{name}, line 1: the column {column:?} exists twice; rename one of them");
        }
        Ok(Self { name, header: Header(header), reader, bytes: ByteRecord::new(), number: 0 })
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// The next row; none at the end.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Record>> {
        let line = self.reader.position().line();
        let more = self.reader.read_byte_record(&mut self.bytes);
        if !more.map_err(|error| anyhow!("{}, near line {line}: {error}", self.name))? {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(Record { number: self.number, cells: self.text() }))
    }

    fn text(&self) -> Result<StringRecord, String> {
        if self.bytes.len() != self.header.0.len() {
            return Err(format!("it has {} columns; the header has {}", self.bytes.len(), self.header.0.len()));
        }
        StringRecord::from_byte_record(self.bytes.clone()).map_err(|error| {
            let column = self.header.0.get(error.utf8_error().field()).map_or("?", String::as_str);
            format!("the column {column} is not UTF-8 text")
        })
    }
}
