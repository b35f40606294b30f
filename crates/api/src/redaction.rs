//! API keys in text that is logged or traced.

use std::borrow::Cow;

/// How every API key begins.
const PREFIX: &str = "dk_";
/// The length of a key's id, which is no secret.
const ID_CHARS: usize = 16;
/// Text after the prefix that is at least this long is taken for a key, whatever its form.
const SUSPICIOUS_CHARS: usize = 24;

/// Replaces the secret part of everything that looks like an API key (`dk_<id>_<secret>`) by `***`. The id is kept, so that
/// a leaked key can be revoked.
pub fn mask_keys(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut copied = 0;
    let mut searched = 0;
    while let Some(found) = text[searched..].find(PREFIX) {
        let start = searched + found + PREFIX.len();
        let rest = &text[start..];
        let token =
            &rest[..rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len())];
        searched = start;
        let Some(kept) = public_part(token) else { continue };
        masked.push_str(&text[copied..start + kept]);
        masked.push_str("***");
        copied = start + token.len();
        searched = copied;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    masked.push_str(&text[copied..]);
    Cow::Owned(masked)
}

/// How many bytes of what follows the prefix may be shown. `None`: it is no key.
fn public_part(token: &str) -> Option<usize> {
    let has_id = token.len() > ID_CHARS + 1
        && token.as_bytes()[..ID_CHARS].iter().all(u8::is_ascii_hexdigit)
        && token.as_bytes()[ID_CHARS] == b'_';
    if has_id { Some(ID_CHARS + 1) } else { (token.len() >= SUSPICIOUS_CHARS).then_some(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked() {
        let secret = "5".repeat(72);
        let key = format!("dk_0123456789abcdef_{secret}");
        for (text, masked) in [
            (key.clone(), "dk_0123456789abcdef_***".to_owned()),
            (format!("/v1/{key}/x?y={key}&z"), "/v1/dk_0123456789abcdef_***/x?y=dk_0123456789abcdef_***&z".to_owned()),
            (format!("xdk_0123456789ABCDEF_{}", &secret[..1]), "xdk_0123456789ABCDEF_***".to_owned()),
            (format!("dk_{secret}"), "dk_***".to_owned()),
            (format!("dk_dk_{secret}"), "dk_***".to_owned()),
        ] {
            assert_eq!(mask_keys(&text), masked);
        }
    }

    #[test]
    fn other_text_stays() {
        for text in ["", "dk_", "sdk_version", "dk_0123456789abcdef", "dk_0123456789abcdef_", "é dk_é", "/v1/tickets"]
        {
            assert!(matches!(mask_keys(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }
}
