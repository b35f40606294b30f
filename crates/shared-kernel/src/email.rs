//! E-mail addresses: one rule for HTTP, CLI, import, filters, keys and mail.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use idna::AsciiDenyList;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::text::{ValueError, line};

/// RFC 5321, 4.5.3.1.3: a path of 256 octets with its two brackets.
const LONGEST: usize = 254;
/// RFC 5321, 4.5.3.1.1.
const LONGEST_LOCAL: usize = 64;
/// RFC 1035, 2.3.4.
const LONGEST_LABEL: usize = 63;

/// An e-mail address, shown as it was written and compared by its [`key`](Self::key).
///
/// Written with letters of any script (RFC 6531). Refused is what two readers could take for two addresses: characters
/// that NFKC would replace (full-width letters, the Kelvin sign), invisible ones, and a domain that IDNA (UTS 46)
/// refuses. Dots and plus parts of the local part are significant. Only a mail that arrives proves an address.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress {
    written: String,
    key: String,
}

impl EmailAddress {
    /// Trims the text, composes it (NFC), and checks it: `local@domain`, at most 254 characters.
    ///
    /// # Errors
    /// If it is not an address.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let text = line("email", LONGEST, text)?;
        if text.chars().any(|c| is_invisible(c) || is_compatibility(c)) {
            return Err(ValueError::LookAlike { what: "email" });
        }
        let written: String = text.nfc().collect();
        let (local, domain) = written.rsplit_once('@').ok_or(ValueError::NotAnAddress)?;
        let foreign = |c: char| {
            c.is_whitespace() || matches!(c, '@' | ',' | ';' | ':' | '<' | '>' | '(' | ')' | '[' | ']' | '\\' | '"')
        };
        if local.is_empty() || local.len() > LONGEST_LOCAL || local.contains(foreign) {
            return Err(ValueError::NotAnAddress);
        }
        let key = format!("{}@{}", local.to_ascii_lowercase(), a_labels(domain)?);
        Ok(Self { written, key })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// What makes two addresses the same: the local part with ASCII letters in lower case, the domain as lower-case
    /// A-labels (RFC 5890).
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// The domain as it stands in the DNS.
fn a_labels(domain: &str) -> Result<Cow<'_, str>, ValueError> {
    let ascii =
        idna::domain_to_ascii_cow(domain.as_bytes(), AsciiDenyList::STD3).map_err(|_| ValueError::NotAnAddress)?;
    let sound =
        |label: &str| (1..=LONGEST_LABEL).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
    if ascii.split('.').all(sound) { Ok(ascii) } else { Err(ValueError::NotAnAddress) }
}

/// Whether NFKC replaces the character: it looks like another one, or stands for several.
fn is_compatibility(c: char) -> bool {
    !c.is_ascii() && !std::iter::once(c).nfkc().eq(std::iter::once(c))
}

/// Whether nothing is seen of the character (Unicode's `Default_Ignorable_Code_Point`, as far as NFKC keeps it).
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

impl PartialEq for EmailAddress {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for EmailAddress {}

impl Hash for EmailAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl FromStr for EmailAddress {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Result<String, ValueError> {
        EmailAddress::parse(text).map(|address| address.key().to_owned())
    }

    #[test]
    fn same_address_has_same_key() {
        let same = [
            ("Kate@Example.COM", "kate@example.com"),
            (" kate@example.com ", "kate@example.com"),
            ("jörg@bücher.example", "jörg@xn--bcher-kva.example"),
            ("jo\u{308}rg@BÜCHER.example", "jörg@xn--bcher-kva.example"),
            ("jörg@XN--bcher-kva.example", "jörg@xn--bcher-kva.example"),
            ("first.last+tag@example.com", "first.last+tag@example.com"),
        ];
        for (written, expected) in same {
            assert_eq!(key(written).as_deref(), Ok(expected), "{written}");
        }
    }

    #[test]
    fn other_letters_are_other_people() {
        // only ASCII letters lose their case, and no dot or plus part is folded
        for (one, other) in [("Jörg@a.b", "JÖRG@a.b"), ("a.b@c.d", "ab@c.d"), ("a+b@c.d", "a@c.d")] {
            assert_ne!(key(one), key(other));
        }
    }

    #[test]
    fn address_is_shown_as_written() {
        let address = EmailAddress::parse(" Kate@Bücher.Example ");
        assert_eq!(address.map(|address| address.to_string()).as_deref(), Ok("Kate@Bücher.Example"));
    }

    #[test]
    fn look_alikes_are_refused() {
        // the Kelvin sign, a full-width letter, a ligature, a zero-width space, a soft hyphen
        for text in
            ["\u{212a}ate@example.com", "ｋate@example.com", "ﬁ@example.com", "ka\u{200b}te@x.y", "ka\u{ad}te@x.y"]
        {
            assert_eq!(key(text), Err(ValueError::LookAlike { what: "email" }), "{text}");
        }
    }

    #[test]
    fn malformed_addresses_are_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        for text in
            ["kate", "@example.com", "kate@", "a b@c.d", "a@b@c.d", "a@-b.c", "a@b..c", "a@.b", "a@b_c.d", &long]
        {
            assert_eq!(key(text), Err(ValueError::NotAnAddress), "{text}");
        }
    }
}
