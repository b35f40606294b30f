//! `Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header-07): the key, and the digest that
//! tells a retry from another request.

use axum::http::{HeaderMap, Method, header};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::problem::{Code, Problem};

pub(crate) const HEADER: &str = "idempotency-key";
const LONGEST: usize = 255;
/// A bare token, or a structured-field string: 1 to 255 visible ASCII characters either way.
pub(crate) const FORM: &str = r#"^([!#-~][!-~]{0,254}|"([!#-\[\]-~]|\\["\\]){1,255}")$"#;

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

/// A digest of what makes the request what it is: method, path and query, If-Match, body. White space and the
/// order of members in a JSON body make no other request.
pub(crate) fn fingerprint(
    method: &Method,
    target: &str,
    headers: &HeaderMap,
    json: Option<&Value>,
    raw: &[u8],
) -> Vec<u8> {
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
    match json {
        Some(json) => part(json.to_string().as_bytes()),
        None => part(raw),
    }
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
    fn a_bare_token_and_a_quoted_string_name_one_key() {
        assert_eq!(parse(&[]), Ok(None));
        for form in [&b"abc-1"[..], b"\"abc-1\"", b"  abc-1 "] {
            assert_eq!(parse(&[form]), Ok(Some("abc-1".into())));
        }
        assert!(parse(&[&[b'x'; 255]]).is_ok());
    }

    #[test]
    fn the_form_that_is_published_is_the_form_that_is_read() {
        let form = jsonschema::validator_for(&serde_json::json!({"pattern": FORM})).unwrap();
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
    fn an_empty_a_second_a_long_or_an_unprintable_one_is_refused() {
        for bad in [&b""[..], b"\"\"", b"\"open", b"a b", b"\xe9", b"\"a b\"", b"\"a\";b", &[b'x'; 256]] {
            assert_eq!(parse(&[bad]), Err(()), "{bad:?}");
        }
        assert_eq!(parse(&[b"a", b"a"]), Err(()));
    }
}
