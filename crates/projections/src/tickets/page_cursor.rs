//! The cursor of the next page: opaque to clients, and authenticated.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// The bytes of the authentication code that are kept: 128 bits.
const TAG: usize = 16;
const BODY: usize = 8 + 16;

/// The last row of a page: its sort key and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageCursor {
    pub(crate) key: i64,
    pub(crate) id: Uuid,
}

impl PageCursor {
    /// The text for clients: hexadecimal, bound to its list by HMAC-SHA-256.
    pub(crate) fn seal(self, secret: &[u8], list: &str) -> String {
        let mut body = self.key.to_be_bytes().to_vec();
        body.extend(self.id.as_bytes());
        let tag = mac(secret, list, &body).finalize().into_bytes();
        body.extend(&tag[..TAG]);
        hexadecimal(&body)
    }

    /// Reads a text of [`Self::seal`] for the same list; `None` for anything else.
    pub(crate) fn open(text: &str, secret: &[u8], list: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 2 * (BODY + TAG) || !digits.iter().all(|d| matches!(d, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let bytes = digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>()?;
        let (body, given) = bytes.split_at(BODY);
        mac(secret, list, body).verify_truncated_left(given).ok()?;
        let (key, id) = body.split_at(8);
        Some(Self { key: i64::from_be_bytes(key.try_into().ok()?), id: Uuid::from_slice(id).ok()? })
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn mac(secret: &[u8], list: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length is a key");
    mac.update(list.as_bytes());
    // the body has a fixed length and comes last, so that no two pairs of list and body are the same bytes
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_opens_for_its_list_only() {
        let cursor = PageCursor { key: -7, id: Uuid::from_u128(42) };
        let sealed = cursor.seal(b"secret", "list");
        assert_eq!(PageCursor::open(&sealed, b"secret", "list"), Some(cursor));
        assert_eq!(PageCursor::open(&sealed, b"secret", "other"), None);
        assert_eq!(PageCursor::open(&sealed, b"other", "list"), None);
        for at in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(PageCursor::open(std::str::from_utf8(&bytes).unwrap(), b"secret", "list"), None, "{at}");
        }
        for bad in ["", "00", "é", &sealed[1..], &sealed.to_uppercase(), &format!("{sealed}00")] {
            assert_eq!(PageCursor::open(bad, b"secret", "list"), None, "{bad}");
        }
    }
}
