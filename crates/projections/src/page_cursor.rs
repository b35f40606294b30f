//! The cursor of the next page: opaque to clients, and authenticated.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// The bytes of the authentication code that are kept: 128 bits.
const TAG: usize = 16;
const ID: usize = 16;

/// The last row of a page: its sort key and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageCursor<K> {
    pub(crate) key: K,
    pub(crate) id: Uuid,
}

/// What a list is sorted by.
pub(crate) trait CursorKey: Sized {
    fn to_bytes(&self) -> Vec<u8>;

    /// Reads bytes of [`Self::to_bytes`].
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl CursorKey for i64 {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_be_bytes().into()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_be_bytes(bytes.try_into().ok()?))
    }
}

/// In microseconds, as PostgreSQL keeps it.
impl CursorKey for DateTime<Utc> {
    fn to_bytes(&self) -> Vec<u8> {
        self.timestamp_micros().to_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_timestamp_micros(i64::from_bytes(bytes)?)
    }
}

impl CursorKey for String {
    fn to_bytes(&self) -> Vec<u8> {
        self.as_bytes().into()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_utf8(bytes.into()).ok()
    }
}

impl<K: CursorKey> PageCursor<K> {
    /// The text for clients: hexadecimal, bound to its list by HMAC-SHA-256.
    pub(crate) fn seal(&self, secret: &[u8], list: &str) -> String {
        let mut body = self.key.to_bytes();
        body.extend(self.id.as_bytes());
        let tag = mac(secret, list, &body).finalize().into_bytes();
        body.extend(&tag[..TAG]);
        hexadecimal(&body)
    }

    /// Reads a text of [`Self::seal`] for the same list; `None` for anything else.
    pub(crate) fn open(text: &str, secret: &[u8], list: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if !digits.len().is_multiple_of(2) || !digits.iter().all(|d| matches!(d, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let bytes = digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>()?;
        let (body, given) = bytes.split_at_checked(bytes.len().checked_sub(TAG)?)?;
        mac(secret, list, body).verify_truncated_left(given).ok()?;
        let (key, id) = body.split_at_checked(body.len().checked_sub(ID)?)?;
        Some(Self { key: K::from_bytes(key)?, id: Uuid::from_slice(id).ok()? })
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn mac(secret: &[u8], list: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    // the list's length comes first, so that no two pairs of list and body are the same bytes
    mac.update(&list.len().to_be_bytes());
    mac.update(list.as_bytes());
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_opens_for_its_list_only() {
        let cursor = PageCursor { key: -7_i64, id: Uuid::from_u128(42) };
        let open = |text: &str, secret: &[u8], list: &str| PageCursor::<i64>::open(text, secret, list);
        let sealed = cursor.seal(b"secret", "list");
        assert_eq!(open(&sealed, b"secret", "list"), Some(cursor));
        assert_eq!(open(&sealed, b"secret", "other"), None);
        assert_eq!(open(&sealed, b"other", "list"), None);
        for at in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(open(std::str::from_utf8(&bytes).unwrap(), b"secret", "list"), None, "{at}");
        }
        for bad in ["", "00", "é", &sealed[1..], &sealed.to_uppercase(), &format!("{sealed}00")] {
            assert_eq!(open(bad, b"secret", "list"), None, "{bad}");
        }
    }

    #[test]
    fn cursor_keeps_keys_of_any_length() {
        for key in ["", "ada", "ä\u{1f600}"] {
            let cursor = PageCursor { key: key.to_owned(), id: Uuid::from_u128(42) };
            let sealed = cursor.seal(b"secret", "list");
            assert_eq!(PageCursor::open(&sealed, b"secret", "list"), Some(cursor));
            assert_eq!(PageCursor::<i64>::open(&sealed, b"secret", "list"), None);
        }
        let time = DateTime::from_timestamp_micros(1_760_000_000_123_456).unwrap();
        let cursor = PageCursor { key: time, id: Uuid::from_u128(42) };
        assert_eq!(PageCursor::open(&cursor.seal(b"secret", "list"), b"secret", "list"), Some(cursor));
    }

    #[test]
    fn list_and_key_do_not_run_into_each_other() {
        let cursor = |key: &str| PageCursor { key: key.to_owned(), id: Uuid::from_u128(42) };
        let sealed = cursor("b").seal(b"secret", "a");
        let other = cursor("").seal(b"secret", "ab");
        assert_ne!(sealed[sealed.len() - 2 * TAG..], other[other.len() - 2 * TAG..]);
    }
}
