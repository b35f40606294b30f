//! The columns of `timers`: DDL, writer, query and audit go by this list.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::table::table;

table! {
    /// A timer.
    #[derive(sqlx::FromRow)]
    "timers": TimerRow, TimerRows {
        (fixed) stream_id: Uuid = "uuid not null",
        /// What it does: `wake`, `close`.
        (fixed) kind: String = r#"text collate "C" not null"#,
        stream_type: String = r#"text collate "C" not null"#,
        /// The version that set it.
        set_by: i64 = "bigint not null",
        due_at: DateTime<Utc> = "timestamptz not null",
    }
}
