//! Cursors as a target of `tools/fuzz/`: bytes in, and what must hold of whatever is made of them.

use uuid::Uuid;

use crate::tickets::Place;

/// A target and its name.
pub type Target = (&'static str, fn(&[u8]));

/// The names of the targets.
pub const TARGETS: &[Target] = &[("cursor", cursor)];

/// A cursor and the list that it is for: nothing is taken that was not given out, and what was is taken for its list alone.
pub fn cursor(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (cursor, list) = text.split_once('\n').unwrap_or((&text, ""));
    // no client can know the secret
    assert_eq!(Place::open(cursor, b"a secret", list), None);
    let seed = data.iter().fold(7_u128, |seed, byte| seed.wrapping_mul(0x0100_01b3).wrapping_add((*byte).into()));
    let key = i64::from_be_bytes(seed.to_be_bytes()[8..].try_into().unwrap_or_default());
    check(Place { key, id: Uuid::from_u128(seed) }, list);
}

/// What holds of the cursor of any place in any list.
pub(crate) fn check(place: Place, list: &str) {
    let sealed = place.seal(b"a secret", list);
    assert_eq!(Place::open(&sealed, b"a secret", list), Some(place));
    assert_eq!(Place::open(&sealed, b"another secret", list), None);
    assert_eq!(Place::open(&sealed, b"a secret", &format!("{list} ")), None);
    assert!(sealed.bytes().all(|byte| byte.is_ascii_hexdigit()), "fit for a URL as it is: {sealed}");
}

#[cfg(test)]
mod tests;
