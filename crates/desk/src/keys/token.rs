//! The form of a key: `dk_<id>_<secret><checksum>`, all in lower-case hexadecimal. The prefix and the
//! checksum let scanners find leaked keys, and let a mistyped one be refused without a look-up.

use std::fmt::{self, Write};

use rand::Rng;

const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 32;
const CHECKSUM_CHARS: usize = 8;

/// The part of a key that is no secret, and that names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// 16 hexadecimal digits.
    pub fn parse(id: &str) -> Option<Self> {
        (id.len() == 2 * ID_BYTES && is_hex(id)).then(|| Self(id.to_owned()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key with its secret. It shows itself only when asked by name.
pub(crate) struct Token {
    id: KeyId,
    secret: String,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Token {
    /// A new one from the operating system's randomness: the edge at which a secret is made.
    pub(crate) fn mint() -> Self {
        Self::of(KeyId(hex(&random::<ID_BYTES>())))
    }

    /// A new secret for a key.
    pub(crate) fn of(id: KeyId) -> Self {
        Self { id, secret: hex(&random::<SECRET_BYTES>()) }
    }

    pub(crate) fn parse(token: &str) -> Option<Self> {
        let (id, rest) = token.strip_prefix("dk_")?.split_once('_')?;
        let id = KeyId::parse(id)?;
        if rest.len() != 2 * SECRET_BYTES + CHECKSUM_CHARS || !is_hex(rest) {
            return None;
        }
        let (secret, checksum) = rest.split_at(2 * SECRET_BYTES);
        let token = Self { id, secret: secret.to_owned() };
        (token.checksum() == checksum).then_some(token)
    }

    pub(crate) fn id(&self) -> &KeyId {
        &self.id
    }

    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    pub(crate) fn reveal(&self) -> String {
        format!("dk_{}_{}{}", self.id, self.secret, self.checksum())
    }

    fn checksum(&self) -> String {
        format!("{:08x}", crc32fast::hash(format!("dk_{}_{}", self.id, self.secret).as_bytes()))
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").ok();
        text
    })
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_a_mistyped_one_does_not() {
        let token = Token::mint();
        let text = token.reveal();
        assert_eq!(Token::parse(&text).unwrap().reveal(), text);
        assert!(!format!("{token:?}").contains(token.secret()));
        for index in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[index] = if bytes[index] == b'0' { b'1' } else { b'0' };
            assert!(Token::parse(std::str::from_utf8(&bytes).unwrap()).is_none(), "changed at {index}");
        }
        for bad in ["", "dk_", "dk__", "Bearer", &text[..text.len() - 1], &format!("{text}0"), &text.to_uppercase()] {
            assert!(Token::parse(bad).is_none(), "{bad}");
        }
    }
}
