//! The audit of API keys: what proves a key is what its events name.

use std::collections::{BTreeMap, BTreeSet};

use eventsourcing::Records;
use eventsourcing::audit::{AuditReport, Finding};

use super::record::Key;
use super::{KeyId, Keys, fingerprint, unreadable};
use crate::DeskError;

impl Keys {
    /// Compares the stored secrets with the events: a secret that no event names, or one that is gone, was put or taken
    /// by somebody else than this program.
    pub(crate) async fn check_secrets(&self, report: &mut AuditReport) -> Result<(), DeskError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("select key_id, hash from api_key_secrets order by key_id").fetch_all(&self.pool).await?;
        let mut stored: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (id, hash) in rows {
            stored.entry(id).or_default().insert(fingerprint(&hash));
        }
        for (id, fingerprints) in stored {
            let id = KeyId::parse(&id).ok_or_else(|| unreadable("key_id"))?;
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
