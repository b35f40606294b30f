//! The rows of a model with one row per record.

use eventstore::{Position, StreamId, Version};
use uuid::Uuid;

use super::{Columns, Records};
use crate::generation::Generation;

pub(super) fn table<M: Records>(generation: Generation) -> String {
    format!("read_models.{}_{generation}", M::NAME)
}

/// A record, and the last event that was folded into it.
#[derive(Clone, Debug)]
pub(super) struct Folded<R> {
    pub(super) version: Version,
    pub(super) position: Position,
    pub(super) record: R,
}

impl<R> Folded<R> {
    /// The row, by column.
    pub(super) fn row<M: Records<Record = R>>(&self, stream: StreamId) -> Columns {
        let mut row = M::columns(&self.record);
        row.insert("id".to_owned(), stream.0.to_string().into());
        row.insert("version".to_owned(), self.version.0.into());
        row.insert("position".to_owned(), self.position.0.into());
        row.insert("record".to_owned(), write_record::<M>(&self.record).into());
        row
    }
}

/// The text of the column `record`. A change of its form needs a new schema version.
fn write_record<M: Records>(record: &M::Record) -> String {
    serde_json::to_string(record).expect("a record has text keys only")
}

/// Reads the column `record`.
pub(super) fn read_record<M: Records>(id: Uuid, text: &str) -> Result<M::Record, String> {
    serde_json::from_str(text).map_err(|error| format!("the row of {id} in {}: {error}", M::NAME))
}
