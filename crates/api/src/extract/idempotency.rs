//! `Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header-07): the key, and the digest that
//! tells a retry from another request.

use axum::http::{HeaderMap, Method, header};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::problem::{Code, Problem};

pub(crate) const HEADER: &str = "idempotency-key";
const LONGEST: usize = 255;

/// The key of a request, if it has one. A quoted string and a bare token name the same key.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let invalid = |detail: &str| Problem::new(Code::InvalidIdempotencyKey, detail);
    let mut lines = headers.get_all(HEADER).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(invalid("There is more than one Idempotency-Key; send one."));
    }
    let text = line.to_str().map_err(|_| invalid("The Idempotency-Key must be visible ASCII."))?.trim();
    let key = if text.starts_with('"') {
        let item: sfv::Item = sfv::Parser::new(text)
            .parse()
            .map_err(|_| invalid("The Idempotency-Key starts like a quoted string, but is none."))?;
        if !item.params.is_empty() {
            return Err(invalid("The Idempotency-Key takes no parameters."));
        }
        match item.bare_item {
            sfv::BareItem::String(key) => key.as_str().to_owned(),
            _ => return Err(invalid("The Idempotency-Key must be a string.")),
        }
    } else {
        text.to_owned()
    };
    if key.is_empty() || key.len() > LONGEST {
        return Err(invalid("The Idempotency-Key must have 1 to 255 characters."));
    }
    if !key.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(invalid("The Idempotency-Key must be visible ASCII without spaces."));
    }
    Ok(Some(key))
}

/// A digest of method, path and query, `If-Match` and body: it tells a retry from another request. White space and the
/// order of members in a JSON body make no difference.
pub(crate) fn fingerprint(method: &Method, target: &str, headers: &HeaderMap, json: &Value) -> Vec<u8> {
    let mut digest = Sha256::new();
    let mut part = |bytes: &[u8]| {
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    };
    part(method.as_str().as_bytes());
    part(target.as_bytes());
    let if_match = headers.get_all(header::IF_MATCH).iter().collect::<Vec<_>>();
    part(&if_match.len().to_be_bytes());
    for line in if_match {
        part(line.as_bytes());
    }
    part(json.to_string().as_bytes());
    digest.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(lines: &[&[u8]]) -> Result<Option<String>, ()> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(HEADER, http::HeaderValue::from_bytes(line).unwrap());
        }
        key(&headers).map_err(|_| ())
    }

    #[test]
    fn bare_and_quoted_name_one_key() {
        assert_eq!(parse(&[]), Ok(None));
        for form in [&b"abc-1"[..], b"\"abc-1\"", b"  abc-1 "] {
            assert_eq!(parse(&[form]), Ok(Some("abc-1".into())));
        }
        assert!(parse(&[&[b'x'; 255]]).is_ok());
    }

    #[test]
    fn published_pattern_is_what_is_read() {
        let form =
            jsonschema::validator_for(&serde_json::json!({"pattern": crate::schema::IDEMPOTENCY_KEY_PATTERN})).unwrap();
        let (long, longer) = ("x".repeat(255), "x".repeat(256));
        let quoted = [format!("\"{long}\""), format!("\"{longer}\"")];
        let texts = [
            "abc-1",
            "\"abc-1\"",
            "a\"b",
            "\"a\\\"b\"",
            "",
            "\"\"",
            "\"open",
            "a b",
            "\"a b\"",
            "\"a\\b\"",
            "\"a\";b=1",
            &long,
            &longer,
        ];
        for text in texts.into_iter().chain(quoted.iter().map(String::as_str)) {
            assert_eq!(form.is_valid(&text.into()), parse(&[text.as_bytes()]).is_ok(), "{text}");
        }
    }

    #[test]
    fn malformed_keys_are_refused() {
        for bad in [&b""[..], b"\"\"", b"\"open", b"a b", b"\xe9", b"\"a b\"", b"\"a\";b", &[b'x'; 256]] {
            assert_eq!(parse(&[bad]), Err(()), "{bad:?}");
        }
        assert_eq!(parse(&[b"a", b"a"]), Err(()));
    }
}
