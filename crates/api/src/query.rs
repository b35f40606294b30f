//! Query parameters: none is ignored, none is guessed at.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::problem::{Code, FieldError, Problem};

/// The parameters of a request, each once, none unknown.
pub(crate) struct Query(BTreeMap<String, String>);

impl Query {
    /// Reads a query in which only these names may occur.
    pub(crate) fn read(query: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        let mut values = BTreeMap::new();
        let mut faults = Vec::new();
        let pairs: Vec<(String, String)> = match query {
            None => Vec::new(),
            Some(query) => serde_html_form(query)
                .map_err(|detail| Problem::invalid(Code::InvalidQuery, vec![FieldError::new("", detail)]))?,
        };
        for (name, value) in pairs {
            if !known.contains(&name.as_str()) {
                let hint = if known.is_empty() { "none is".into() } else { format!("known: {}", known.join(", ")) };
                faults.push(FieldError::new(format!("?{name}"), format!("this parameter is unknown here; {hint}")));
            } else if values.insert(name.clone(), value).is_some() {
                faults.push(FieldError::new(format!("?{name}"), "this parameter is there twice"));
            }
        }
        if faults.is_empty() { Ok(Self(values)) } else { Err(Problem::invalid(Code::InvalidQuery, faults)) }
    }

    /// A whole number of at least one: digits only, no sign, no exponent.
    pub(crate) fn positive(&self, name: &str) -> Result<Option<i64>, Problem> {
        let Some(text) = self.0.get(name) else { return Ok(None) };
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits && number > 0 => Ok(Some(number)),
            _ => Err(invalid(name, "a whole number above zero is needed, such as 7")),
        }
    }

    /// How many at the most: what is too large for a number is more than there is.
    pub(crate) fn limit(&self) -> Result<Option<i64>, Problem> {
        let Some(text) = self.0.get("limit") else { return Ok(None) };
        limit(text).map(Some).map_err(|detail| invalid("limit", &detail))
    }

    /// A whole number, zero included.
    pub(crate) fn natural(&self, name: &str) -> Result<Option<i64>, Problem> {
        match self.0.get(name).map(String::as_str) {
            Some("0") => Ok(Some(0)),
            _ => self.positive(name),
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
        let pairs = values.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// A time after RFC 3339.
    pub(crate) fn time(&self, name: &str) -> Result<Option<DateTime<Utc>>, Problem> {
        let Some(text) = self.0.get(name) else { return Ok(None) };
        DateTime::parse_from_rfc3339(text)
            .map(|time| Some(time.to_utc()))
            .map_err(|_| invalid(name, "a time after RFC 3339 is needed, such as 2026-01-31T09:30:00Z (+ is %2B)"))
    }
}

/// Percent-encoded, but for what is unreserved (RFC 3986, 2.3).
fn encoded(value: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    value.bytes().map(|b| if unreserved(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A number of items above zero, as large as it likes.
pub(crate) fn limit(text: &str) -> Result<i64, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits || text.bytes().all(|b| b == b'0') {
        return Err("a whole number above zero is needed, such as 50".to_owned());
    }
    Ok(text.parse().unwrap_or(i64::MAX))
}

pub(crate) fn invalid(name: &str, detail: &str) -> Problem {
    Problem::invalid(Code::InvalidQuery, vec![FieldError::new(format!("?{name}"), detail)])
}

fn serde_html_form(query: &str) -> Result<Vec<(String, String)>, String> {
    // the decoder would put a replacement character, and something else would be looked for than was meant
    if !stands_for_utf8(query) {
        return Err("what is percent-encoded is not UTF-8".into());
    }
    let uri = http::Uri::builder().path_and_query(format!("/?{query}")).build().map_err(|e| e.to_string())?;
    let decoded = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri).map_err(|e| e.to_string())?.0;
    if decoded.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) {
        return Err("the character U+0000 is not accepted".into());
    }
    Ok(decoded)
}

fn stands_for_utf8(query: &str) -> bool {
    let mut pieces = query.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let digits = piece.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => bytes.extend(std::iter::once(byte).chain(piece.bytes().skip(2))),
            // a percent sign on its own is itself
            None => bytes.extend(std::iter::once(b'%').chain(piece.bytes())),
        }
    }
    std::str::from_utf8(&bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_taken_to_the_letter() {
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
    fn a_limit_is_as_large_as_it_likes_and_never_nothing() {
        for (text, taken) in [("1", 1), ("201", 201), ("99999999999999999999", i64::MAX), ("007", 7)] {
            assert_eq!(limit(text), Ok(taken), "{text}");
        }
        for bad in ["", "0", "00", "-1", "+5", "1e2", "x", " 5"] {
            assert!(limit(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn unknown_and_repeated_parameters_are_refused() {
        for bad in ["x=1", "n=1&n=1", "n=1&x", "n=%00", "n=%FF", "n=a%c3", "n=%c3&t=%a9"] {
            assert!(Query::read(Some(bad), &["n"]).is_err(), "{bad}");
        }
        assert_eq!(Query::read(Some("n=%c3%A9%"), &["n"]).unwrap().text("n"), Some("é%"));
    }
}
