//! Times as they are written.

use chrono::{DateTime, SecondsFormat, Utc};

/// RFC 3339, in UTC.
pub(crate) fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
