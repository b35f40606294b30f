//! The server that a request is for: exactly one `Host` header over HTTP/1.1 (RFC 9112, section 3.2), `:authority` over HTTP/2
//! (RFC 9113, section 8.3.1).

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{Version, header};

use crate::problem::{Code, Problem};

pub(super) fn check(request: &Request) -> Result<(), Problem> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let bad = |detail: &str| Err(Problem::new(Code::BadRequest, detail));
    let host = match (hosts.next(), hosts.next()) {
        (_, Some(_)) => return bad("The request has more than one Host header."),
        (Some(host), None) => Some(host),
        (None, None) => None,
    };
    let authority = request.uri().authority();
    match host {
        // an empty value is allowed where the target has no authority
        Some(host) if host.is_empty() && authority.is_none() => Ok(()),
        Some(host) => match Authority::try_from(host.as_bytes()) {
            Ok(host) if host.as_str().contains('@') => bad("The Host header is not a host with an optional port."),
            Ok(host) if request.version() == Version::HTTP_2 && authority.is_some_and(|it| *it != host) => {
                bad("The Host header differs from :authority.")
            }
            Ok(_) => Ok(()),
            Err(_) => bad("The Host header is not a host with an optional port."),
        },
        None if request.version() == Version::HTTP_2 && authority.is_some() => Ok(()),
        // HTTP/1.0 knows no such header
        None if request.version() < Version::HTTP_11 => Ok(()),
        None => bad("The request has no Host header."),
    }
}
