//! The audit of the log: what `eventsourcing::audit` checks for every kind of record, and what the desk adds.

mod streams;

use eventsourcing::audit::{self, AuditReport, Breach, Finding};
use eventstore::Metadata;

use crate::history::actor_in;
use crate::keys::SecretsOfEvents;
use crate::{Desk, DeskError};

impl Desk {
    /// Audits the log and what is derived from it; `progress` hears how many event readings are done (each event is read
    /// twice). Nothing is changed, and the program may go on meanwhile.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn verify(&self, mut progress: impl FnMut(u64) + Send) -> Result<AuditReport, DeskError> {
        let mut report = AuditReport::default();
        let secrets = SecretsOfEvents::default();
        audit::check_log_order(self.store(), &mut report, &mut progress).await?;
        audit::check_streams(self.store(), &mut streams::audits(&secrets), &mut report, &mut progress).await?;
        audit::check_receipts(self.store(), is_of, &mut report).await?;
        self.check_dangling_aliases(&mut report).await?;
        self.keys().check_secrets(&secrets, &mut report).await?;
        Ok(report)
    }

    /// Aliases were written with events; if those are gone, somebody removed them.
    async fn check_dangling_aliases(&self, report: &mut AuditReport) -> Result<(), DeskError> {
        for (scope, name, stream) in self.store().dangling_aliases().await? {
            let detail = format!("{scope} {name} names a stream that is not in the log");
            report.add(Finding::of_stream(stream, None, Breach { rule: "alias_without_stream", detail }));
        }
        Ok(())
    }
}

/// Whether an event with that metadata is one of the caller's, whom a receipt names by the scope of their idempotency keys.
/// What can't be read has been reported with its event.
fn is_of(caller: &str, metadata: &Metadata) -> bool {
    actor_in(metadata).map_or(true, |actor| actor.scope() == caller)
}
