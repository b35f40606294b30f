//! Ids derived from the source, so that every run of an import has the same.
//!
//! They are `UUIDv7` (RFC 9562, section 5.7) with the row's time, and a part of a SHA-256 hash in place of the random bits.

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use ticket_aggregate::TicketId;
use uuid::Uuid;

/// The id of a case's ticket.
pub(super) fn ticket(source: &str, case: &str, began: DateTime<Utc>) -> TicketId {
    TicketId(derived(began, &[b"ticket", source.as_bytes(), case.as_bytes()]))
}

/// The ids for the commands of a row.
pub(super) fn of_row(source: &str, row: u64, time: DateTime<Utc>) -> impl FnMut() -> Uuid + Send + Sync + 'static {
    let source = source.to_owned();
    let mut used: u64 = 0;
    move || {
        used += 1;
        derived(time, &[b"row", source.as_bytes(), &row.to_be_bytes(), &used.to_be_bytes()])
    }
}

/// The ids for what a name becomes: an agent, a team, a person.
pub(super) fn of_name(
    source: &str,
    kind: &'static str,
    name: &str,
    time: DateTime<Utc>,
) -> impl FnMut() -> Uuid + Send + Sync + 'static {
    let (source, name) = (source.to_owned(), name.to_owned());
    let mut used: u64 = 0;
    move || {
        used += 1;
        derived(time, &[kind.as_bytes(), source.as_bytes(), name.as_bytes(), &used.to_be_bytes()])
    }
}

fn derived(time: DateTime<Utc>, parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        // with its length, so that ("ab", "c") differs from ("a", "bc")
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let hash = hash.finalize();
    let mut random = [0; 10];
    random.copy_from_slice(&hash[..10]);
    // UUIDv7 has no time before 1970
    let millis = u64::try_from(time.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime<Utc> {
        "2012-10-09T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn ids_are_deterministic_and_distinct() {
        assert_eq!(ticket("a", "1", noon()), ticket("a", "1", noon()));
        assert_ne!(ticket("a", "1", noon()), ticket("a", "2", noon()));
        assert_ne!(ticket("ab", "c", noon()), ticket("a", "bc", noon()));
        let (mut one, mut again) = (of_row("a", 7, noon()), of_row("a", 7, noon()));
        let first = one();
        assert_eq!(first, again());
        assert_ne!(first, one());
        assert_ne!(first, of_row("a", 8, noon())());
    }

    #[test]
    fn ids_are_version_7_with_the_row_time() {
        let id = ticket("a", "1", noon()).0;
        assert_eq!(id.get_version_num(), 7);
        let (seconds, _) = id.get_timestamp().unwrap().to_unix();
        assert_eq!(i64::try_from(seconds).unwrap(), noon().timestamp());
    }
}
