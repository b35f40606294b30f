//! Tokens as a target of `tools/fuzz/`: bytes in, and what must hold of whatever is made of them.

#![expect(clippy::missing_panics_doc, reason = "a target panics where something does not hold")]

use super::token::Token;

/// A target and its name.
pub type Target = (&'static str, fn(&[u8]));

/// The names of the targets.
pub const TARGETS: &[Target] = &[("token", token)];

/// Any text: a token is taken exactly where its form and its checksum are right, and shows itself as it came.
pub fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = Token::parse(text);
    assert_eq!(read.is_some(), is_sound(text), "{text:?}");
    if let Some(token) = &read {
        assert_eq!(token.reveal(), text);
        assert!(!format!("{token:?}").contains(token.secret()));
    }
    // the same with the checksum that it should have
    if let Some(stem) = text.get(..84) {
        let right = format!("{stem}{:08x}", crc32(stem.as_bytes()));
        assert_eq!(Token::parse(&right).is_some(), is_sound(&right), "{right:?}");
    }
}

fn is_sound(text: &str) -> bool {
    let hex = |text: &str| text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    let digits = |from: usize, to: usize| text.get(from..to).is_some_and(hex);
    text.len() == 92
        && text.starts_with("dk_")
        && digits(3, 19)
        && text.get(19..20) == Some("_")
        && digits(20, 92)
        && text[84..] == format!("{:08x}", crc32(&text.as_bytes()[..84]))
}

/// CRC-32 bit by bit, as in ISO 3309.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

#[cfg(test)]
mod tests;
