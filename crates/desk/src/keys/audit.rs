//! The audit of API keys: what proves a key is what its events name.

use std::collections::{BTreeMap, BTreeSet};

use eventsourcing::Records;
use eventsourcing::audit::{AuditReport, Finding};

use super::record::{ApiKeyId, Key};
use super::{KeyId, Keys, secrets};
use crate::DeskError;

impl Keys {
    /// Compares the stored secrets with the events: a secret that no event names, or one that is gone, was put or taken
    /// by somebody else than this program.
    pub(crate) async fn check_secrets(&self, report: &mut AuditReport) -> Result<(), DeskError> {
        let mut stored: BTreeMap<ApiKeyId, (KeyId, BTreeSet<String>)> = BTreeMap::new();
        for (id, fingerprint) in secrets::fingerprints(&self.pool).await? {
            stored.entry(id.record()).or_insert_with(|| (id, BTreeSet::new())).1.insert(fingerprint);
        }
        for (id, fingerprints) in stored.into_values() {
            // without a record: a key whose making was broken off, which nobody can use
            let Some(key) = self.records.current(id.record()).await? else { continue };
            for (number, (known, _)) in &key.state.secrets {
                if !fingerprints.contains(known) {
                    report.add(Finding {
                        rule: "api_key_secret",
                        position: None,
                        stream_type: Some(eventsourcing::codec::stream_type::<Key>()),
                        stream: Some(Records::<Key>::stream(id.record())),
                        version: None,
                        detail: format!("the secret {number} of key {id} is not the one that was recorded"),
                    });
                }
            }
        }
        Ok(())
    }
}
