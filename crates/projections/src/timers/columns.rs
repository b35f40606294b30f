//! The columns of `timers`: DDL, writer, query and audit go by this list.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::table::table;

table! {
    /// A timer.
    TimerRow, TimerRows {
        (key) stream_id: Uuid = "uuid not null",
        /// What it does: `wake`, `close`.
        (key) kind: String = r#"text collate "C" not null"#,
        stream_type: String = r#"text collate "C" not null"#,
        /// The version that set it.
        set_by: i64 = "bigint not null",
        due_at: DateTime<Utc> = "timestamptz not null",
    }
}
