//! The audit of API keys: what proves a key is what its events name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use eventsourcing::Records;
use eventsourcing::audit::{AuditReport, Breach, Finding};
use eventstore::StreamId;

use super::record::{Key, KeyState};
use super::{Keys, secrets};
use crate::DeskError;

/// The fingerprints of all secrets, by keys and numbers, as the events name them. Keys are few.
#[derive(Clone, Debug, Default)]
pub(crate) struct SecretsOfEvents(Arc<Mutex<BTreeMap<StreamId, BTreeMap<i32, String>>>>);

impl SecretsOfEvents {
    /// Takes over what a key's events have come to.
    pub(crate) fn keep(&self, key: StreamId, state: Option<&KeyState>) {
        let Some(state) = state else { return };
        let secrets = state.secrets.iter().map(|(number, (fingerprint, _))| (*number, fingerprint.clone()));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, secrets.collect());
    }
}

impl Keys {
    /// Compares the stored secrets with those that the events name: one that is another or gone was changed by somebody else
    /// than this program. One that no event names proves nothing; it is what a broken-off creation or rotation leaves.
    pub(crate) async fn check_secrets(
        &self,
        of_events: &SecretsOfEvents,
        report: &mut AuditReport,
    ) -> Result<(), DeskError> {
        let mut stored: BTreeMap<StreamId, BTreeSet<String>> = BTreeMap::new();
        for (id, fingerprint) in secrets::fingerprints(&self.pool).await? {
            stored.entry(Records::<Key>::stream(id.record())).or_default().insert(fingerprint);
        }
        let recorded = of_events.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (key, secrets) in recorded {
            let stored = stored.remove(&key).unwrap_or_default();
            for (number, _) in secrets.into_iter().filter(|(_, fingerprint)| !stored.contains(fingerprint)) {
                let detail = format!("secret {number} of the key is gone, or not the one that was recorded");
                let breach = Breach { rule: "api_key_secret", detail };
                let stream_type = Some(eventsourcing::codec::stream_type::<Key>());
                report.add(Finding { stream_type, ..Finding::of_stream(key, None, breach) });
            }
        }
        Ok(())
    }
}
