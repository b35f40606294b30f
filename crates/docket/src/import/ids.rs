//! Ids that follow from the source alone, so that an import that is run again makes the same.
//!
//! They have the form of `UUIDv7` (RFC 9562, 5.7): the time is the row's, and where a random part would stand, stands a
//! part of SHA-256 over what the id is for.

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use ticket_aggregate::TicketId;
use uuid::Uuid;

/// The ticket of a case that began then.
pub(super) fn ticket(source: &str, case: &str, began: DateTime<Utc>) -> TicketId {
    TicketId(derived(began, &[b"ticket", source.as_bytes(), case.as_bytes()]))
}

/// The ids that the commands of a row need, one after the other.
pub(super) fn of_row(source: &str, row: u64, time: DateTime<Utc>) -> impl FnMut() -> Uuid + Send + Sync + 'static {
    let source = source.to_owned();
    let mut used: u64 = 0;
    move || {
        used += 1;
        derived(time, &[b"row", source.as_bytes(), &row.to_be_bytes(), &used.to_be_bytes()])
    }
}

fn derived(time: DateTime<Utc>, parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        // with its length, so that ("ab", "c") is not ("a", "bc")
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let hash = hash.finalize();
    let mut random = [0; 10];
    random.copy_from_slice(&hash[..10]);
    // the form knows no time before 1970
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
    fn the_same_makes_the_same_and_nothing_else_does() {
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
    fn they_are_of_version_7_and_carry_the_rows_time() {
        let id = ticket("a", "1", noon()).0;
        assert_eq!(id.get_version_num(), 7);
        let (seconds, _) = id.get_timestamp().unwrap().to_unix();
        assert_eq!(i64::try_from(seconds).unwrap(), noon().timestamp());
    }
}
