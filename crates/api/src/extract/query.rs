//! Query parameters: none is ignored, none is guessed at.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::problem::{Code, Faults, FieldError, Problem};

/// The parameters of a request, each once, none unknown.
pub(crate) struct Query(BTreeMap<String, String>);

impl Query {
    /// Reads a query in which only these names may occur.
    pub(crate) fn read(query: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        let mut values = BTreeMap::new();
        let mut faults = Faults::default();
        let pairs = decode(query.unwrap_or_default())
            .map_err(|detail| Problem::faults(Code::InvalidQuery, FieldError::new("", detail).into()))?;
        for (name, value) in pairs {
            if !known.contains(&name.as_str()) {
                let detail = if known.is_empty() { "unknown parameter; there is none" } else { "unknown parameter" };
                faults.add(FieldError::new(format!("?{name}"), detail));
            } else if values.insert(name.clone(), value).is_some() {
                faults.add(FieldError::new(format!("?{name}"), "given twice"));
            }
        }
        if faults.is_empty() { Ok(Self(values)) } else { Err(Problem::faults(Code::InvalidQuery, faults)) }
    }

    /// A whole number of at least one: digits only, no sign, no exponent.
    pub(crate) fn positive(&self, name: &str) -> Result<Option<i64>, Problem> {
        let Some(text) = self.0.get(name) else { return Ok(None) };
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits && number > 0 => Ok(Some(number)),
            _ => Err(invalid_query(name, "a whole number above zero is needed, such as 7")),
        }
    }

    /// The page size.
    pub(crate) fn limit(&self) -> Result<Option<i64>, Problem> {
        let Some(text) = self.0.get("limit") else { return Ok(None) };
        parse_limit(text).map(Some).map_err(|detail| invalid_query("limit", &detail))
    }

    /// A whole number, zero included.
    pub(crate) fn natural(&self, name: &str) -> Result<Option<i64>, Problem> {
        match self.0.get(name).map(String::as_str) {
            Some("0") => Ok(Some(0)),
            _ => self.positive(name),
        }
    }

    /// A value of the domain.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, Problem> {
        let parsed = self.text(name).map(str::parse).transpose();
        parsed.map_err(|error: T::Err| invalid_query(name, &error.to_string()))
    }

    /// Yes or no.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.text(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(invalid_query(name, "true or false is needed")),
        }
    }

    /// A text as it is.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The query with one parameter set anew, encoded.
    pub(crate) fn with(&self, name: &str, value: &str) -> String {
        let mut values = self.0.clone();
        values.insert(name.to_owned(), value.to_owned());
        let pairs = values.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, RESERVED)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// A time after RFC 3339.
    pub(crate) fn time(&self, name: &str) -> Result<Option<DateTime<Utc>>, Problem> {
        let Some(text) = self.0.get(name) else { return Ok(None) };
        DateTime::parse_from_rfc3339(text).map(|time| Some(time.to_utc())).map_err(|_| {
            invalid_query(name, "a time after RFC 3339 is needed, such as 2026-01-31T09:30:00Z (+ is %2B)")
        })
    }
}

/// Everything but the unreserved characters (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A page size: digits, above zero. What is too large for a number is larger than any maximum.
pub(crate) fn parse_limit(text: &str) -> Result<i64, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits || text.bytes().all(|b| b == b'0') {
        return Err("a whole number above zero is needed, such as 50".to_owned());
    }
    Ok(text.parse().unwrap_or(i64::MAX))
}

/// Both values, or the faults of both.
pub(crate) fn both<A, B>(one: Result<A, Problem>, other: Result<B, Problem>) -> Result<(A, B), Problem> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => Err(one.and(other)),
        (Err(problem), Ok(_)) | (Ok(_), Err(problem)) => Err(problem),
    }
}

pub(crate) fn invalid_query(name: &str, detail: &str) -> Problem {
    Problem::faults(Code::InvalidQuery, FieldError::new(format!("?{name}"), detail).into())
}

/// The pairs of a query (application/x-www-form-urlencoded), in UTF-8.
fn decode(query: &str) -> Result<Vec<(String, String)>, &'static str> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((decode_part(name)?, decode_part(value)?))
    });
    pairs.collect()
}

fn decode_part(text: &str) -> Result<String, &'static str> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        if !after.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err("a percent sign is followed by two hexadecimal digits (% itself is %25)");
        }
        rest = after;
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| "what is percent-encoded is not UTF-8")?;
    if decoded.contains('\0') {
        return Err("the character U+0000 is not accepted");
    }
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_strict() {
        let read = |text: &str| Query::read(Some(text), &["n", "t"]).unwrap();
        assert_eq!(read("n=7").positive("n").unwrap(), Some(7));
        assert_eq!(read("").positive("n").unwrap(), None);
        for bad in ["", "0", "-1", "%2B1", "1e3", "7.0", "99999999999999999999", "7%20"] {
            assert!(read(&format!("n={bad}")).positive("n").is_err(), "{bad}");
        }
        assert!(read("t=2026-01-31T09:30:00%2B01:00").time("t").unwrap().is_some());
        for bad in ["", "2026-01-31", "yesterday"] {
            assert!(read(&format!("t={bad}")).time("t").is_err(), "{bad}");
        }
    }

    #[test]
    fn limit_is_above_zero_and_unbounded() {
        for (text, taken) in [("1", 1), ("201", 201), ("99999999999999999999", i64::MAX), ("007", 7)] {
            assert_eq!(parse_limit(text), Ok(taken), "{text}");
        }
        for bad in ["", "0", "00", "-1", "+5", "1e2", "x", " 5"] {
            assert!(parse_limit(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn unknown_repeated_and_malformed_parameters_are_refused() {
        for bad in
            ["x=1", "n=1&n=1", "n=1&x", "n=%00", "n=%FF", "n=a%c3", "n=%c3&t=%a9", "n=%zz", "n=%", "n=%4", "%n=1"]
        {
            assert!(Query::read(Some(bad), &["n"]).is_err(), "{bad}");
        }
        assert_eq!(Query::read(Some("n=%c3%A9%25+x"), &["n"]).unwrap().text("n"), Some("é% x"));
    }
}
