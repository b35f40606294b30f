//! The audit of the log: what `eventsourcing::audit` checks for every kind of record, and what the desk adds.

use agent_aggregate::Agent;
use eventsourcing::audit::{self, AuditReport, Breach, Finding, FoldAudit, StreamAudit};
use eventstore::{RecordedEvent, StreamType};
use person_aggregate::Person;
use settings_aggregate::{Setting, Team};
use ticket_aggregate::Ticket;

use crate::history::actor_of;
use crate::keys::Key;
use crate::{Desk, DeskError};

/// The audits of all kinds of records. A kind that is missing here is reported as an unknown stream type.
fn stream_audits() -> Vec<Box<dyn StreamAudit>> {
    vec![
        Box::new(WithMetadata(FoldAudit::<Ticket>::default())),
        Box::new(WithMetadata(FoldAudit::<Person>::default())),
        Box::new(WithMetadata(FoldAudit::<Agent>::default())),
        Box::new(WithMetadata(FoldAudit::<Setting<Team>>::default())),
        Box::new(WithMetadata(FoldAudit::<Key>::default())),
    ]
}

/// Checks an event's metadata as well: it must name an actor.
struct WithMetadata<A>(A);

impl<A: StreamAudit> StreamAudit for WithMetadata<A> {
    fn stream_type(&self) -> StreamType {
        self.0.stream_type()
    }

    fn next_stream(&mut self) {
        self.0.next_stream();
    }

    fn step(&mut self, event: &RecordedEvent) -> Result<(), Breach> {
        self.0.step(event)?;
        actor_of(event).map(drop).map_err(|detail| Breach { rule: "unreadable_metadata", detail })
    }
}

impl Desk {
    /// Audits the log; `progress` hears how many event readings are done (each event is read twice).
    pub async fn verify(&self, mut progress: impl FnMut(u64) + Send) -> Result<AuditReport, DeskError> {
        let mut report = AuditReport::default();
        audit::check_log_order(self.store(), &mut report, &mut progress).await?;
        audit::check_streams(self.store(), &mut stream_audits(), &mut report, &mut progress).await?;
        self.check_references(&mut report).await?;
        self.keys().check_secrets(&mut report).await?;
        Ok(report)
    }

    /// Receipts and aliases were written with events; if those are gone, somebody removed them.
    async fn check_references(&self, report: &mut AuditReport) -> Result<(), DeskError> {
        for (stream, version) in self.store().dangling_receipts().await? {
            report.add(Finding {
                rule: "receipt_without_event",
                position: None,
                stream_type: None,
                stream: Some(stream),
                version: Some(version),
                detail: "a receipt names an event that is not in the log".into(),
            });
        }
        for (scope, name, stream) in self.store().dangling_aliases().await? {
            report.add(Finding {
                rule: "alias_without_stream",
                position: None,
                stream_type: None,
                stream: Some(stream),
                version: None,
                detail: format!("{scope} {name} names a stream that is not in the log"),
            });
        }
        Ok(())
    }
}
