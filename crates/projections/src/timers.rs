//! The read model `timers`: when what is to happen by itself is due (docs/adr/0039).
//!
//! A ticket has at most one timer: to wake from hold, or to close once the deadline for reopening has passed. The row
//! names the version that set it. The leader of the timers reads the rows that are due ([`TimersReader`]).

mod columns;
mod due;
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
use columns::TimerRow;
use project::TimersWriter;
pub use query::TimersReader;

pub(crate) struct Timers;

const NAME: &str = "timers";

/// Events that neither set nor end a timer. All others are selected, unknown ones included.
const IRRELEVANT: &[&str] = &[
    "ticket.requester_replied",
    "ticket.internal_note_added",
    "ticket.priority_changed",
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

impl ReadModel for Timers {
    fn name(&self) -> &'static str {
        NAME
    }

    fn schema_version(&self) -> i32 {
        1
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
        vec![Table { name: TimerRow::COLUMNS.table(generation), row: "t" }]
    }

    fn create(&self, generation: Generation) -> String {
        TimerRow::COLUMNS.define(&generation.script(include_str!("timers/schema.sql")))
    }

    fn index(&self, generation: Generation) -> Vec<String> {
        vec![generation.script(include_str!("timers/indexes.sql"))]
    }

    fn writer(&self, generation: Generation) -> Box<dyn Writer> {
        Box::new(TimersWriter::of(generation))
    }

    fn verify<'a>(
        &'a self,
        verification: &'a mut Verification<'_>,
    ) -> BoxFuture<'a, Result<Vec<Difference>, StoreError>> {
        verify::differences(verification).boxed()
    }
}
