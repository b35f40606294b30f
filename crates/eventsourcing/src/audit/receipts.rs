//! Receipts against the events that they name.

use eventstore::{EventStore, Metadata, RecordedReceipt, StoreError};

use super::{AuditReport, Breach, Finding};

/// How many are read at once.
const PAGE: u16 = 256;

/// Checks that each receipt names an event, and one of its caller if its command recorded any: `is_of` says whether a caller's
/// scope fits an event's metadata.
///
/// # Errors
/// If the database fails.
pub async fn check_receipts(
    store: &EventStore,
    is_of: impl Fn(&str, &Metadata) -> bool,
    report: &mut AuditReport,
) -> Result<(), StoreError> {
    let mut last = None;
    loop {
        let page = store.receipts_after(last.as_ref(), PAGE).await?;
        for receipt in &page {
            if let Err(breach) = check(receipt, &is_of) {
                report.add(Finding::of_stream(receipt.stream_id, Some(receipt.version), breach));
            }
        }
        if page.len() < usize::from(PAGE) {
            return Ok(());
        }
        last = page.into_iter().next_back();
    }
}

fn check(receipt: &RecordedReceipt, is_of: impl Fn(&str, &Metadata) -> bool) -> Result<(), Breach> {
    let Some(metadata) = &receipt.metadata else {
        let detail = "a receipt names an event that is not in the log".to_owned();
        return Err(Breach { rule: "receipt_without_event", detail });
    };
    // a command without effect found an event of whomever; metadata that can't be read has been reported with its event
    match serde_json::from_str(metadata) {
        Ok(metadata) if receipt.has_events && !is_of(&receipt.caller, &metadata) => {
            let detail = format!("a receipt of {} names an event that is not theirs", receipt.caller);
            Err(Breach { rule: "receipt_of_another", detail })
        }
        _ => Ok(()),
    }
}
