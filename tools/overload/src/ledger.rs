//! What was asked to be recorded, and what was answered; at the end it is compared with the log.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use serde::Serialize;
use sqlx::{Connection, PgConnection, Row};

/// Notes, each with a text of its own. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Ledger {
    next: Arc<AtomicU64>,
    answers: Arc<Mutex<HashMap<String, u16>>>,
}

/// What the log says.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Account {
    pub(crate) acknowledged: u64,
    pub(crate) refused: u64,
    pub(crate) unknown: u64,
    /// Acknowledged, and not in the log.
    pub(crate) lost: u64,
    /// In the log more than once.
    pub(crate) doubled: u64,
    /// Refused, and in the log.
    pub(crate) unexpected: u64,
}

impl Ledger {
    pub(crate) fn nonce(&self) -> String {
        format!("note-{}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn answered(&self, nonce: String, status: u16) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(nonce, status);
    }

    /// Compares it with the log.
    pub(crate) async fn compare(&self, database: &str) -> Result<Account> {
        let mut connection = PgConnection::connect(database).await?;
        let sql = "select jsonb_path_query_first(payload::jsonb, '$.personal.*.body') #>> '{}' as note, count(*) as times from events
                    where type = 'ticket.internal_note_added' group by 1";
        let rows = sqlx::query(sql).fetch_all(&mut connection).await?;
        let mut recorded = HashMap::new();
        for row in rows {
            recorded.insert(row.try_get::<String, _>("note")?, row.try_get::<i64, _>("times")?);
        }
        let mut account = Account::default();
        for (nonce, status) in self.answers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let times = recorded.get(nonce).copied().unwrap_or(0);
            account.doubled += u64::from(times > 1);
            match status {
                200..300 => {
                    account.acknowledged += 1;
                    account.lost += u64::from(times == 0);
                }
                // no answer, or none that says what became of it
                0 | 500 | 504 => account.unknown += 1,
                _ => {
                    account.refused += 1;
                    account.unexpected += u64::from(times > 0);
                }
            }
        }
        Ok(account)
    }
}
