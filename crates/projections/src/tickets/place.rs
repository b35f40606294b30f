//! Where a page of a list ends: opaque to clients, and proof against tampering.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// How many bytes of the code are kept: 128 bits can't be guessed.
const CODE: usize = 16;
const BODY: usize = 8 + 16;

/// The last row of a page, by what the list is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) key: i64,
    pub(crate) id: Uuid,
}

impl Place {
    /// As clients get it: hexadecimal, bound to the list that it belongs to.
    pub(crate) fn seal(self, secret: &[u8], list: &str) -> String {
        let mut body = self.key.to_be_bytes().to_vec();
        body.extend(self.id.as_bytes());
        let code = code(secret, list, &body).finalize().into_bytes();
        body.extend(&code[..CODE]);
        hexadecimal(&body)
    }

    /// What [`Self::seal`] gave for the same list; `None` for anything else.
    pub(crate) fn open(text: &str, secret: &[u8], list: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 2 * (BODY + CODE) || !digits.iter().all(|d| matches!(d, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let bytes = digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>()?;
        let (body, given) = bytes.split_at(BODY);
        code(secret, list, body).verify_truncated_left(given).ok()?;
        let (key, id) = body.split_at(8);
        Some(Self { key: i64::from_be_bytes(key.try_into().ok()?), id: Uuid::from_slice(id).ok()? })
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn code(secret: &[u8], list: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut code = Hmac::<Sha256>::new_from_slice(secret).expect("any length is a key");
    code.update(list.as_bytes());
    // of a fixed length, at the end: no list and body read as another list and body
    code.update(body);
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_given_out_for_the_list_is_taken() {
        let place = Place { key: -7, id: Uuid::from_u128(42) };
        let sealed = place.seal(b"secret", "list");
        assert_eq!(Place::open(&sealed, b"secret", "list"), Some(place));
        assert_eq!(Place::open(&sealed, b"secret", "other"), None);
        assert_eq!(Place::open(&sealed, b"other", "list"), None);
        for at in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(Place::open(std::str::from_utf8(&bytes).unwrap(), b"secret", "list"), None, "{at}");
        }
        for bad in ["", "00", "é", &sealed[1..], &sealed.to_uppercase(), &format!("{sealed}00")] {
            assert_eq!(Place::open(bad, b"secret", "list"), None, "{bad}");
        }
    }
}
