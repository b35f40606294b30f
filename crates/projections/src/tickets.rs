//! The read model `tickets`: lists and full-text search.
//!
//! A row is the fold of a ticket, with the columns that lists filter and sort by. How the tables are split, and why:
//! docs/adr/0025.

mod changes;
mod columns;
mod page;
mod project;
mod query;
mod texts;
mod verify;
mod viewer;

use eventstore::{RecordedEvent, StoreError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use shared_kernel::Aggregate;
use ticket_aggregate::Ticket;

use crate::fold;
use crate::generation::Generation;
use crate::read_model::{Payload, ReadModel, Table, Writer};
use crate::verification::{Difference, Verification};
use columns::{Recency, StoredTicket, TextWords};
pub use page::TicketsPage;
use project::TicketsWriter;
pub use query::{Filter, Order, Sort, TicketQuery, TicketRow};
pub use viewer::Viewer;

pub(crate) struct Tickets;

const NAME: &str = "tickets";

impl ReadModel for Tickets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn schema_version(&self) -> i32 {
        5
    }

    fn follows(&self, stream_type: &str) -> bool {
        stream_type == Ticket::TYPE
    }

    fn decode(&self, event: &RecordedEvent) -> Result<Payload, String> {
        fold::decode_payload::<Ticket>(event)
    }

    fn tables(&self, generation: Generation) -> Vec<Table> {
        // a tsvector has no hash
        let words = "row(t.ticket_id, t.entry, t.public, tsvectorsend(t.words))";
        vec![
            Table { name: StoredTicket::COLUMNS.table(generation), row: "t" },
            Table { name: Recency::COLUMNS.table(generation), row: "t" },
            Table { name: TextWords::COLUMNS.table(generation), row: words },
        ]
    }

    fn create(&self, generation: Generation) -> String {
        let script = generation.script(include_str!("tickets/schema.sql"));
        [StoredTicket::COLUMNS, Recency::COLUMNS, TextWords::COLUMNS]
            .iter()
            .fold(script, |script, columns| columns.define(&script))
    }

    fn index(&self, generation: Generation) -> Vec<String> {
        let scripts = [include_str!("tickets/indexes.sql"), include_str!("tickets/word_indexes.sql")];
        scripts.map(|script| generation.script(script)).into()
    }

    fn writer(&self, generation: Generation) -> Box<dyn Writer> {
        Box::new(TicketsWriter::of(generation))
    }

    fn verify<'a>(
        &'a self,
        verification: &'a mut Verification<'_>,
    ) -> BoxFuture<'a, Result<Vec<Difference>, StoreError>> {
        verify::differences(verification).boxed()
    }
}
