//! Rows in the binary form of PostgreSQL's `COPY`: for rows that are known to be new, in bulk.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArgumentBuffer;
use sqlx::{Encode, PgConnection, Postgres};

/// The signature; no flags; nothing more in the header.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// In the place of a row's number of columns: there are no more rows.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

/// Rows of a table.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    bytes: PgArgumentBuffer,
    /// A value that has no binary form.
    error: Option<BoxDynError>,
}

impl Rows {
    /// Begins a row of so many columns.
    pub(crate) fn row(&mut self, columns: i16) -> &mut Self {
        if self.bytes.is_empty() {
            self.bytes.extend_from_slice(HEADER);
        }
        self.bytes.extend_from_slice(&columns.to_be_bytes());
        self
    }

    /// The row's next column.
    pub(crate) fn column<'q>(&mut self, value: impl Encode<'q, Postgres>) -> &mut Self {
        if let Err(error) = self.push(value) {
            self.error.get_or_insert(error);
        }
        self
    }

    /// Its length and its bytes; a length of -1 is null.
    fn push<'q>(&mut self, value: impl Encode<'q, Postgres>) -> Result<(), BoxDynError> {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
        if let IsNull::No = value.encode(&mut self.bytes)? {
            let length = i32::try_from(self.bytes.len() - at - 4)?;
            self.bytes[at..at + 4].copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }

    /// Writes them into the table and its columns, `table (one, two)`.
    pub(crate) async fn write(mut self, connection: &mut PgConnection, into: &str) -> Result<(), sqlx::Error> {
        if let Some(error) = self.error {
            return Err(sqlx::Error::Encode(error));
        }
        if self.bytes.is_empty() {
            return Ok(());
        }
        self.bytes.extend_from_slice(&TRAILER);
        let statement = format!("copy {into} from stdin (format binary)");
        let mut copy = connection.copy_in_raw(&statement).await?;
        copy.send(self.bytes.as_slice()).await?;
        copy.finish().await?;
        Ok(())
    }
}
