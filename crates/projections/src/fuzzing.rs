//! The fuzz target for page cursors (`tools/fuzz/`).

use uuid::Uuid;

use crate::page_cursor::PageCursor;

/// A fuzz target: its name, and its entry point.
pub type Target = (&'static str, fn(&[u8]));

/// All fuzz targets.
pub const TARGETS: &[Target] = &[("cursor", cursor)];

/// Input: a cursor, a newline, a list. No cursor opens that was not sealed, and a sealed one opens for its list alone.
pub fn cursor(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (cursor, list) = text.split_once('\n').unwrap_or((&text, ""));
    // the input can't know the secret
    assert_eq!(PageCursor::<i64>::open(cursor, b"a secret", list), None);
    let seed = data.iter().fold(7_u128, |seed, byte| seed.wrapping_mul(0x0100_01b3).wrapping_add((*byte).into()));
    let key = i64::from_be_bytes(seed.to_be_bytes()[8..].try_into().unwrap_or_default());
    check(PageCursor { key, id: Uuid::from_u128(seed) }, list);
}

/// What holds of the cursor of any cursor in any list.
pub(crate) fn check(cursor: PageCursor<i64>, list: &str) {
    let sealed = cursor.seal(b"a secret", list);
    assert_eq!(PageCursor::open(&sealed, b"a secret", list), Some(cursor));
    assert_eq!(PageCursor::<i64>::open(&sealed, b"another secret", list), None);
    assert_eq!(PageCursor::<i64>::open(&sealed, b"a secret", &format!("{list} ")), None);
    assert!(sealed.bytes().all(|byte| byte.is_ascii_hexdigit()), "safe in a URL: {sealed}");
}

#[cfg(test)]
mod tests;
