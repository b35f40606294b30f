//! The read model `queues`: the number of tickets by team, status, assignee and priority.

mod columns;
mod group_key;
mod project;
mod query;
mod verify;

use eventstore::{RecordedEvent, StoreError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use shared_kernel::Aggregate;
use ticket_aggregate::Ticket;

use crate::fold;
use crate::generation::Generation;
use crate::read_model::{Payload, ReadModel, Table, Writer};
use crate::verification::{Difference, Verification};
use columns::{QueueRow, QueuedTicket};
use project::QueuesWriter;
pub use query::{Queue, QueuesPage};

pub(crate) struct Queues;

const NAME: &str = "queues";

/// Events that move no ticket from one queue to another. All others are selected, unknown ones included.
const IRRELEVANT: &[&str] = &[
    "ticket.requester_replied",
    "ticket.internal_note_added",
    "ticket.category_changed",
    "ticket.tags_added",
    "ticket.tags_removed",
    "ticket.subject_changed",
    "ticket.requester_changed",
    "ticket.linked",
    "ticket.unlinked",
    "ticket.follower_added",
    "ticket.follower_removed",
];

impl ReadModel for Queues {
    fn name(&self) -> &'static str {
        NAME
    }

    fn schema_version(&self) -> i32 {
        3
    }

    fn follows(&self, stream_type: &str) -> bool {
        stream_type == Ticket::TYPE
    }

    fn ignores(&self, event_type: &str) -> bool {
        IRRELEVANT.contains(&event_type)
    }

    fn decode(&self, event: &RecordedEvent) -> Result<Payload, String> {
        fold::decode_payload::<Ticket>(event)
    }

    fn tables(&self, generation: Generation) -> Vec<Table> {
        let tables = [QueueRow::COLUMNS, QueuedTicket::COLUMNS];
        tables.map(|columns| Table { name: columns.table(generation), row: "t" }).into()
    }

    fn create(&self, generation: Generation) -> String {
        let script = generation.script(include_str!("queues/schema.sql"));
        QueuedTicket::COLUMNS.define(&QueueRow::COLUMNS.define(&script))
    }

    fn index(&self, generation: Generation) -> Vec<String> {
        vec![generation.script(include_str!("queues/indexes.sql"))]
    }

    fn writer(&self, generation: Generation) -> Box<dyn Writer> {
        Box::new(QueuesWriter::of(generation))
    }

    fn verify<'a>(
        &'a self,
        verification: &'a mut Verification<'_>,
    ) -> BoxFuture<'a, Result<Vec<Difference>, StoreError>> {
        verify::differences(verification).boxed()
    }
}
