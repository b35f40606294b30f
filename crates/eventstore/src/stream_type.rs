use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest name in bytes.
const MAX_BYTES: usize = 31;

/// What a stream is about, `ticket` for instance: 1 to 31 lower-case ASCII letters, digits, `_` and `-`, the first one a letter.
///
/// A stream keeps the type of its first event, and each of its event types begins with the stream type and a dot
/// (`ticket.opened`), so that a reader can select events before it decodes them. The name is stored inline: a copy costs 32
/// bytes and no allocation.
///
/// ```
/// use eventstore::StreamType;
///
/// const TICKET: StreamType = StreamType::from_static("ticket");
/// assert_eq!("ticket".parse(), Ok(TICKET));
/// assert!("Ticket".parse::<StreamType>().is_err());
/// assert!(TICKET.owns("ticket.opened") && !TICKET.owns("ticketing.opened"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamType {
    // unused bytes are zero, so that the derived comparisons are those of the names
    bytes: [u8; MAX_BYTES],
    len: u8,
}

/// A text that is not a [`StreamType`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a stream type: {0:?} (1 to 31 lower-case letters, digits, `_` or `-`, the first one a letter)")]
pub struct InvalidStreamType(String);

impl StreamType {
    /// A type that the program names itself.
    ///
    /// # Panics
    /// If the name is not valid; in a `const`, that is a compile error.
    #[expect(clippy::panic, reason = "a `const` can't return an error")]
    pub const fn from_static(name: &'static str) -> Self {
        match Self::new(name) {
            Some(valid) => valid,
            None => panic!("not a stream type: 1 to 31 lower-case letters, digits, `_` or `-`, the first one a letter"),
        }
    }

    const fn new(name: &str) -> Option<Self> {
        let name = name.as_bytes();
        if name.is_empty() || name.len() > MAX_BYTES || !name[0].is_ascii_lowercase() {
            return None;
        }
        let mut bytes = [0; MAX_BYTES];
        let mut index = 0;
        while index < name.len() {
            match name[index] {
                byte @ (b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-') => bytes[index] = byte,
                _ => return None,
            }
            index += 1;
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 31")]
        Some(Self { bytes, len: name.len() as u8 })
    }

    /// The name.
    #[expect(clippy::missing_panics_doc, reason = "it can't")]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("only ASCII is stored")
    }

    /// Whether an event type belongs to streams of this type: it is the stream type, a dot, and a name.
    pub fn owns(&self, event_type: &str) -> bool {
        event_type
            .strip_prefix(self.as_str())
            .and_then(|rest| rest.strip_prefix('.'))
            .is_some_and(|name| !name.is_empty())
    }
}

impl fmt::Debug for StreamType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamType({})", self.as_str())
    }
}

impl fmt::Display for StreamType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for StreamType {
    type Err = InvalidStreamType;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name).ok_or_else(|| InvalidStreamType(name.to_owned()))
    }
}

impl TryFrom<String> for StreamType {
    type Error = InvalidStreamType;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl From<StreamType> for String {
    fn from(stream_type: StreamType) -> Self {
        stream_type.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_lower_case_words() {
        let longest = "a".repeat(MAX_BYTES);
        for valid in ["a", "ticket", "sla-policy", "api_key2", &longest] {
            assert_eq!(valid.parse::<StreamType>().unwrap().as_str(), valid);
        }
        let too_long = "a".repeat(MAX_BYTES + 1);
        for invalid in ["", "Ticket", "2nd", "-a", "a.b", "a b", "é", &too_long] {
            assert_eq!(invalid.parse::<StreamType>(), Err(InvalidStreamType(invalid.to_owned())));
        }
    }

    #[test]
    fn event_types_begin_with_the_stream_type() {
        let ticket = StreamType::from_static("ticket");
        assert!(ticket.owns("ticket.opened"));
        for other in ["ticket", "ticket.", "tickets.opened", "agent.opened", "opened"] {
            assert!(!ticket.owns(other), "{other}");
        }
    }
}
