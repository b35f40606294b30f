//! Conditional requests (RFC 9110, section 13): the entity tag of a record is its stream's version.

use axum::http::{HeaderMap, HeaderValue, header};
use desk::Precondition;
use eventstore::Version;

use crate::problem::{Code, Problem};

/// The strong entity tag of a version.
pub(crate) fn etag(version: Version) -> HeaderValue {
    HeaderValue::try_from(format!("\"{version}\"")).expect("digits in quotes are a valid header value")
}

/// The `If-Match` of a request; `None` where there is none.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<Precondition>, Problem> {
    let Some(tags) = tags(headers, header::IF_MATCH.as_str()).map_err(invalid)? else { return Ok(None) };
    match tags {
        Tags::Any => Ok(Some(Precondition::Any)),
        // weak tags never match (RFC 9110, 13.1.1), nor do tags that are no version
        Tags::List(tags) => Ok(Some(Precondition::OneOf(tags.iter().filter_map(Tag::version).collect()))),
    }
}

/// Whether the client has this version already (`If-None-Match`, compared weakly). A header that can't
/// be read is no condition: the answer is sent.
pub(crate) fn is_known(headers: &HeaderMap, version: Version) -> bool {
    match tags(headers, header::IF_NONE_MATCH.as_str()) {
        Ok(Some(Tags::Any)) => true,
        Ok(Some(Tags::List(tags))) => tags.iter().any(|tag| tag.opaque == version.to_string()),
        Ok(None) | Err(_) => false,
    }
}

fn invalid(detail: &str) -> Problem {
    Problem::new(Code::InvalidIfMatch, detail)
}

enum Tags {
    Any,
    List(Vec<Tag>),
}

struct Tag {
    weak: bool,
    opaque: String,
}

impl Tag {
    fn version(&self) -> Option<Version> {
        // "07" or "+7" are other tags than "7"
        let version = self.opaque.parse().ok().map(Version)?;
        (!self.weak && version.to_string() == self.opaque).then_some(version)
    }
}

fn tags(headers: &HeaderMap, name: &str) -> Result<Option<Tags>, &'static str> {
    let mut lines = headers.get_all(name).iter();
    let Some(first) = lines.next() else { return Ok(None) };
    if lines.any(|line| line != first) {
        return Err("Two header lines disagree; send one.");
    }
    let text = first.to_str().map_err(|_| "Entity tags are ASCII.")?.trim();
    if text == "*" {
        return Ok(Some(Tags::Any));
    }
    let mut rest = text;
    let mut tags = Vec::new();
    loop {
        let (tag, after) = one(rest)?;
        tags.push(tag);
        match after.trim_start().strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None if after.trim().is_empty() => return Ok(Some(Tags::List(tags))),
            None => return Err("Entity tags are separated by commas."),
        }
    }
}

fn one(text: &str) -> Result<(Tag, &str), &'static str> {
    let (weak, text) = text.strip_prefix("W/").map_or((false, text), |rest| (true, rest));
    let quoted = text.strip_prefix('"').ok_or("An entity tag stands in double quotes, and * stands alone.")?;
    let (opaque, rest) = quoted.split_once('"').ok_or("An entity tag ends with a double quote.")?;
    if !opaque.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("An entity tag has no spaces in it.");
    }
    Ok((Tag { weak, opaque: opaque.to_owned() }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(lines: &[&str]) -> Result<Option<Precondition>, ()> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::IF_MATCH, line.parse().unwrap());
        }
        if_match(&headers).map_err(|_| ())
    }

    #[expect(clippy::unnecessary_wraps, reason = "so that it compares with what is parsed")]
    fn one_of(versions: &[i64]) -> Result<Option<Precondition>, ()> {
        Ok(Some(Precondition::OneOf(versions.iter().copied().map(Version).collect())))
    }

    #[test]
    fn if_match_is_a_version_a_list_or_any() {
        assert_eq!(parse(&[]), Ok(None));
        assert_eq!(parse(&["\"7\""]), one_of(&[7]));
        assert_eq!(parse(&["\"7\", \"8\" ,\"9\""]), one_of(&[7, 8, 9]));
        assert_eq!(parse(&["*"]), Ok(Some(Precondition::Any)));
        assert_eq!(parse(&["\"7\"", "\"7\""]), one_of(&[7]), "two lines that agree");
    }

    #[test]
    fn tag_that_is_no_version_never_matches() {
        for tag in ["W/\"7\"", "\"x\"", "\"\"", "\"+7\"", "\"07\"", "\"1e3\"", "\"99999999999999999999\""] {
            assert_eq!(parse(&[tag]), one_of(&[]), "{tag}");
        }
    }

    #[test]
    fn malformed_if_match_is_refused() {
        for bad in ["7", "", "\"7", "7\"", "\"7 \"", "\"7\" \"8\"", "*, \"7\"", "\"7\", *", "\"7\",", "w/\"7\""] {
            assert_eq!(parse(&[bad]), Err(()), "{bad}");
        }
        assert_eq!(parse(&["\"7\"", "\"8\""]), Err(()), "two lines that disagree");
    }

    #[test]
    fn published_pattern_is_what_is_read() {
        let form = jsonschema::validator_for(&crate::schema::if_match_schema()).unwrap();
        for text in [
            "\"7\"",
            "\"7\", \"8\" ,\"9\"",
            "\"7\",\t\"8\"",
            "\"7 \"",
            "*",
            "W/\"7\"",
            "\"\"",
            "7",
            "",
            "\"7",
            "7\"",
            "\"7\" \"8\"",
            "*, \"7\"",
            "w/\"7\"",
        ] {
            assert_eq!(form.is_valid(&text.into()), parse(&[text]).is_ok(), "{text}");
        }
    }

    #[test]
    fn if_none_match_compares_weakly() {
        for (value, known) in
            [("\"7\"", true), ("W/\"7\"", true), ("*", true), ("\"6\", \"7\"", true), ("\"8\"", false), ("7", false)]
        {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, value.parse().unwrap())]);
            assert_eq!(is_known(&headers, Version(7)), known, "{value}");
        }
    }
}
