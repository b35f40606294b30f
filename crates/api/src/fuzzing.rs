//! What reads clients' bytes, as targets: bytes in, and what must hold of whatever is made of them. The folder `tools/fuzz/`
//! runs them at length, led by coverage; the tests here run them over generated inputs and over the kept corpus.
//!
//! Each parser is held against a second reading that is too simple to have the same faults.

mod json;

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use desk::Precondition;
use eventstore::Version;
use jsonschema::Validator;
use serde_json::{Value, json};

pub use json::json;

use crate::extract::query::Query;
use crate::extract::{conditional, idempotency};
use crate::schema::{IDEMPOTENCY_KEY_PATTERN, if_match_schema};

/// A target and its name.
pub type Target = (&'static str, fn(&[u8]));

/// The names of the targets.
pub const TARGETS: &[Target] =
    &[("json", json), ("if_match", if_match), ("idempotency_key", idempotency_key), ("query", query)];

/// Header lines, one after the other as the input has them. None where a line is no header's value.
fn headers(name: &HeaderName, data: &[u8]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        // white space around a value is not the value's (RFC 9110, 5.5)
        let line = line.trim_ascii_start().trim_ascii_end();
        headers.append(name, HeaderValue::from_bytes(line).ok()?);
    }
    Some(headers)
}

/// The one line of the headers, where they agree and are text.
fn agreed(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let lines: Vec<_> = headers.get_all(name).iter().collect();
    let first = lines.first()?.to_str().ok()?;
    lines.iter().all(|line| *line == first).then(|| first.to_owned())
}

fn form(schema: &Value) -> Validator {
    jsonschema::validator_for(schema).expect("a schema")
}

/// `If-Match` and `If-None-Match`: what is read is what the published form takes, and it matches the versions whose
/// strong tags stand in it.
pub fn if_match(data: &[u8]) {
    static FORM: LazyLock<Validator> = LazyLock::new(|| form(&if_match_schema()));
    let Some(headers) = headers(&header::IF_MATCH, data) else { return };
    let text = agreed(&headers, &header::IF_MATCH);
    let expected = text
        .as_ref()
        .filter(|text| FORM.is_valid(&text.as_str().into()))
        .map(|text| if text == "*" { Precondition::Any } else { Precondition::OneOf(strong_versions(text)) });
    let read = conditional::if_match(&headers).ok().flatten();
    assert_eq!(read, expected, "{text:?}");

    let lines = headers.get_all(header::IF_MATCH).iter().map(|line| (header::IF_NONE_MATCH, line.clone()));
    let none_match = lines.fold(HeaderMap::new(), |mut lines, (name, line)| {
        lines.append(name, line);
        lines
    });
    let has = |text: &String| *text == "*" || opaque_tags(text).any(|(_, tag)| tag == "7");
    let known = expected.is_some() && text.as_ref().is_some_and(has);
    assert_eq!(conditional::is_known(&none_match, Version(7)), known, "{text:?}");
}

/// Of a sound list: no tag has a quote in it, so every other piece between quotes is one.
fn opaque_tags(text: &str) -> impl Iterator<Item = (bool, &str)> {
    let pieces: Vec<&str> = text.split('"').collect();
    (1..pieces.len()).step_by(2).map(move |at| (pieces[at - 1].ends_with('/'), pieces[at]))
}

fn strong_versions(text: &str) -> Vec<Version> {
    let strong = opaque_tags(text).filter(|(weak, _)| !weak);
    let canonical = |tag: &str| tag == "0" || tag.starts_with(|c: char| matches!(c, '1'..='9'));
    let negative = |tag: &str| tag.strip_prefix('-').is_some_and(|rest| canonical(rest) && rest != "0");
    let versions = strong.filter(|(_, tag)| canonical(tag) || negative(tag));
    versions.filter_map(|(_, tag)| tag.parse().ok().map(Version)).collect()
}

/// `Idempotency-Key`: a string of RFC 9651, or a bare token; what is read is what the published form takes, and both
/// ways to write a key name the same.
pub fn idempotency_key(data: &[u8]) {
    static FORM: LazyLock<Validator> = LazyLock::new(|| form(&json!({"pattern": IDEMPOTENCY_KEY_PATTERN})));
    let name = HeaderName::from_static(idempotency::HEADER);
    let Some(headers) = headers(&name, data) else { return };
    let text = agreed(&headers, &name).filter(|_| headers.get_all(&name).iter().count() == 1);
    let expected = text.as_deref().and_then(named_key);
    let read = idempotency::key(&headers).ok().flatten();
    assert_eq!(read, expected, "{text:?}");
    assert_eq!(text.is_some_and(|text| FORM.is_valid(&text.as_str().into())), read.is_some(), "{read:?}");
    let Some(key) = read else { return };
    let quoted = format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""));
    for form in [Some(quoted), (!key.starts_with('"')).then(|| key.clone())].into_iter().flatten() {
        let headers = HeaderMap::from_iter(HeaderValue::try_from(form).map(|value| (name.clone(), value)));
        assert_eq!(idempotency::key(&headers).ok().flatten().as_ref(), Some(&key));
    }
}

fn named_key(text: &str) -> Option<String> {
    let key = match text.strip_prefix('"') {
        None => text.to_owned(),
        Some(quoted) => {
            let mut characters = quoted.strip_suffix('"')?.chars();
            let mut key = String::new();
            while let Some(c) = characters.next() {
                key.push(match c {
                    '"' => return None,
                    '\\' => characters.next().filter(|c| matches!(c, '"' | '\\'))?,
                    c => c,
                });
            }
            key
        }
    };
    let fit = (1..=255).contains(&key.len()) && key.chars().all(|c| ('!'..='~').contains(&c));
    fit.then_some(key)
}

/// A query: what is accepted is each known name once, in UTF-8 without NUL; numbers are digits, times are times; written
/// anew with another value it is read as that.
pub fn query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // what comes here was a part of a URI before
    let Ok(uri) = format!("/?{text}").parse::<http::Uri>() else { return };
    if uri.query() != Some(text) {
        return;
    }
    let names = ["a", "after", "limit", "at"];
    let Ok(read) = Query::read(Some(text), &names) else { return };
    let decoded = percent_decoded(text);
    assert!(!decoded.contains(&0), "{text:?}");
    assert!(std::str::from_utf8(&decoded).is_ok(), "{text:?} was read, and is no UTF-8");
    for name in names {
        let value = read.text(name);
        let digits = value.filter(|value| !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()));
        let number = digits.and_then(|digits| digits.parse::<i64>().ok());
        assert_eq!(read.positive(name).ok().flatten(), number.filter(|n| *n > 0), "{name} {value:?}");
        let time = read.time(name).ok().flatten();
        assert!(time.is_none() || value.is_some_and(|value| value.len() >= 20), "{name} {value:?}");
        if let Some(value) = value {
            assert!(decoded.len() >= value.len());
        }
        let anew = read.with(name, "é&=+% \u{10ffff}");
        let again = Query::read(Some(&anew), &names);
        let again = again.map_err(|problem| format!("{anew:?}: {problem:?}"));
        for other in names {
            let expected = if other == name { Some("é&=+% \u{10ffff}") } else { read.text(other) };
            assert_eq!(again.as_ref().map(|again| again.text(other)), Ok(expected), "{anew:?}");
        }
    }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes().collect::<std::collections::VecDeque<_>>();
    let mut decoded = Vec::new();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    while let Some(byte) = bytes.pop_front() {
        let pair = (bytes.front().copied().and_then(digit), bytes.get(1).copied().and_then(digit));
        match (byte, pair) {
            (b'%', (Some(high), Some(low))) => {
                bytes.drain(..2);
                decoded.push(high << 4 | low);
            }
            (byte, _) => decoded.push(byte),
        }
    }
    decoded
}

#[cfg(test)]
mod tests;
