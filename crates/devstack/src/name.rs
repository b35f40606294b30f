//! Names: of folders (hashes of what they belong to), of databases in SQL and in URLs.

use std::collections::hash_map::RandomState;
use std::fmt::Write as _;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU32, Ordering};

use sha2::{Digest as _, Sha256};

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// 12 hexadecimal digits: short, because a socket's whole path has 107 bytes.
pub(crate) fn short_hash(of: &[u8]) -> String {
    let mut hash = sha256(of);
    hash.truncate(12);
    hash
}

/// Not used before on this machine: process ids come again, so chance is in it too.
pub(crate) fn unique(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let pid = std::process::id();
    let chance = RandomState::new().hash_one((pid, count));
    format!("{prefix}{pid}_{count}_{:08x}", chance & 0xffff_ffff)
}

pub(crate) fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// Escapes for both a URL's path and its query; `/` stays, because a socket's folder is easier to read so.
pub(crate) fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_./~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// The same server's URL with another database in its path.
pub(crate) fn with_database(url: &str, database: &str) -> String {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let (before, query) = url.split_at(url.find('?').unwrap_or(url.len()));
    let server = before[authority..].find('/').map_or(before, |at| &before[..authority + at]);
    format!("{server}/{}{query}", percent_encoded(database))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_database_replaces_database() {
        assert_eq!(
            with_database("postgres://u:p@h:5432/a?sslmode=disable", "b"),
            "postgres://u:p@h:5432/b?sslmode=disable"
        );
        assert_eq!(with_database("postgres://u@h", "b"), "postgres://u@h/b");
        assert_eq!(with_database("postgres://u@h?host=/tmp/x", "b c"), "postgres://u@h/b%20c?host=/tmp/x");
    }

    #[test]
    fn quoted_escapes_quotes() {
        assert_eq!(quoted("a\"; drop"), "\"a\"\"; drop\"");
    }
}
