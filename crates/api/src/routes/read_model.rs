//! What all queries of read models have in common: the least position, the viewer, and the position of the answer.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use eventstore::Position;
use projections::AtLeast;
use serde_json::Value;

use crate::problem::{Code, Problem};
use crate::route::Route;
use crate::schema::{header_parameter, position_parameter};

const MIN_POSITION: &str = "docket-min-position";
/// The default wait for a position, in seconds.
const WAIT: u64 = 2;
/// The longest wait, in seconds. The rest of the request's time is for the answer.
const LONGEST_WAIT: u64 = 25;

/// The position that a caller asks for.
pub(super) struct Freshness {
    pub(super) at_least: AtLeast,
    applied: Option<u64>,
}

impl Freshness {
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let applied = wait(headers);
        let wait = Duration::from_secs(applied.unwrap_or(WAIT));
        Ok(Self { at_least: AtLeast { position: min_position(headers)?, wait }, applied })
    }

    /// The headers of the answer.
    pub(super) fn answered(&self, mut response: Response, position: Position) -> Response {
        let headers = response.headers_mut();
        headers.insert(HeaderName::from_static("docket-position"), HeaderValue::from(position.0));
        headers.insert(header::VARY, HeaderValue::from_static("Authorization, Docket-On-Behalf-Of"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        if let Some(wait) = self.applied {
            let applied = HeaderValue::try_from(format!("wait={wait}")).expect("digits are visible ASCII");
            headers.insert(HeaderName::from_static("preference-applied"), applied);
        }
        response
    }
}

fn min_position(headers: &HeaderMap) -> Result<Position, Problem> {
    let bad = || {
        Problem::new(
            Code::BadRequest,
            "Docket-Min-Position takes one whole number, a Docket-Position that was answered.",
        )
    };
    let mut values = headers.get_all(MIN_POSITION).iter();
    let Some(value) = values.next() else { return Ok(Position(0)) };
    let text = value.to_str().map_err(|_| bad())?;
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(position) if digits && values.next().is_none() => Ok(Position(position)),
        _ => Err(bad()),
    }
}

/// The `wait` of `Prefer` (RFC 7240): a preference that can't be read is none.
fn wait(headers: &HeaderMap) -> Option<u64> {
    let lines = headers.get_all("prefer").iter().filter_map(|line| line.to_str().ok());
    let mut waits = lines.flat_map(|line| line.split(',')).filter_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        let value = value.trim().trim_matches('"');
        let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        (name.trim().eq_ignore_ascii_case("wait") && digits).then(|| value.parse().unwrap_or(LONGEST_WAIT))
    });
    waits.next().map(|seconds: u64| seconds.min(LONGEST_WAIT))
}

/// The route of a query of a read model.
pub(super) fn described(route: Route) -> Route {
    route.parameter(min_position_parameter()).parameter(prefer_parameter()).errors(&[
        Code::BadRequest,
        Code::InvalidQuery,
        Code::ReadModelBehind,
    ])
}

fn min_position_parameter() -> Value {
    position_parameter(
        "Docket-Min-Position",
        "The read model must have read the log up to this position: the Docket-Position of your last command. The server waits up to 2 s for it, then answers 503.",
        0,
    )
}

fn prefer_parameter() -> Value {
    header_parameter(
        "Prefer",
        false,
        "`wait=10`: wait up to 10 s for Docket-Min-Position (default 2, maximum 25).",
        "wait=5",
    )
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_position_is_digits() {
        assert_eq!(min_position(&headers(MIN_POSITION, &["17"])).unwrap(), Position(17));
        assert_eq!(min_position(&HeaderMap::new()).unwrap(), Position(0));
        for bad in ["", "-1", "+1", "1e3", "x", "1,2", "99999999999999999999"] {
            assert!(min_position(&headers(MIN_POSITION, &[bad])).is_err(), "{bad}");
        }
        assert!(min_position(&headers(MIN_POSITION, &["1", "1"])).is_err());
    }

    #[test]
    fn a_preference_is_heeded_where_it_can_be() {
        for (lines, seconds) in [
            (vec!["wait=5"], Some(5)),
            (vec!["respond-async, Wait = 7"], Some(7)),
            (vec!["respond-async", "wait=\"3\"; x=y"], Some(3)),
            (vec!["wait=1000"], Some(25)),
            (vec!["wait=99999999999999999999"], Some(25)),
            (vec!["wait=0"], Some(0)),
            (vec!["wait=-1"], None),
            (vec!["wait"], None),
            (vec![], None),
        ] {
            assert_eq!(wait(&headers("prefer", &lines)), seconds, "{lines:?}");
        }
    }
}
