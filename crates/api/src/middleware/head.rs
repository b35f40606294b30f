//! Limits on the head of a request, checked before anything else.

use axum::extract::Request;
use axum::http::HeaderMap;

use crate::problem::{Code, Problem};

/// Path and query, in bytes.
const LONGEST_URI: usize = 8 * 1024;
/// Header lines. Hyper takes no more over HTTP/1.1.
const MOST_HEADERS: usize = 100;
/// Names and values of all header lines together, in bytes.
const LARGEST_HEADERS: usize = 32 * 1024;

pub(super) fn check(request: &Request) -> Result<(), Problem> {
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    if target.len() > LONGEST_URI {
        return Err(Problem::new(Code::UriTooLong, "Path and query have more than 8 KiB."));
    }
    if request.headers().len() > MOST_HEADERS || size(request.headers()) > LARGEST_HEADERS {
        let detail = "The header lines are more than 100, or have more than 32 KiB together.";
        return Err(Problem::new(Code::HeadersTooLarge, detail));
    }
    Ok(())
}

fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}
