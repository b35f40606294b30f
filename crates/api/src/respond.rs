//! Answers about a record: its entity tag, the position of its last event, and whether they repeat an earlier answer.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use eventstore::{Position, Version};
use serde::Serialize;

use crate::admission::BodyPermit;
use crate::extract::conditional::{etag, is_known};

/// The headers of an answer to a command.
pub(crate) const ANSWER_HEADERS: &[&str] = &["ETag", "Docket-Position", "Idempotent-Replayed"];
/// The same of one that makes a record.
pub(crate) const CREATED_HEADERS: &[&str] = &["ETag", "Location", "Docket-Position", "Idempotent-Replayed"];

const DOCKET_POSITION: HeaderName = HeaderName::from_static("docket-position");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A record after a command.
#[derive(Debug)]
pub struct Changed<T> {
    /// The record as the caller may see it.
    pub record: T,
    /// The version of its stream.
    pub version: Version,
    /// The log position of its last event.
    pub position: Position,
    /// The status of the first answer, if this one repeats it.
    pub replayed: Option<i16>,
    /// The path of a record that the command made.
    pub location: Option<String>,
}

impl<T: Serialize> Changed<T> {
    pub(crate) fn response(&self, status: StatusCode, mut memory: BodyPermit) -> Response {
        let status = self.replayed.and_then(|s| StatusCode::from_u16(s.unsigned_abs()).ok()).unwrap_or(status);
        let json = serde_json::to_vec(&self.record).expect("views have string keys and no failing serializer");
        memory.cover(json.len());
        let json = Body::from(Bytes::from_owner(Held { bytes: json, _memory: memory }));
        let mut response = (status, [(header::CONTENT_TYPE, "application/json")], json).into_response();
        let headers = response.headers_mut();
        headers.extend(validators(self.version));
        headers.insert(DOCKET_POSITION, HeaderValue::from(self.position.0));
        if let Some(location) = &self.location {
            headers.insert(header::LOCATION, HeaderValue::try_from(location).expect("a path is visible ASCII"));
        }
        if self.replayed.is_some() {
            headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// Bytes of an answer, with the memory that they take until they are sent.
pub(crate) struct Held<M> {
    pub(crate) bytes: Vec<u8>,
    pub(crate) _memory: M,
}

impl<M> AsRef<[u8]> for Held<M> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The answer to a query of a record at a version: 304 where the client has it already.
pub fn current(request: &HeaderMap, version: Version, body: impl FnOnce() -> Response) -> Response {
    let mut response = if is_known(request, version) { StatusCode::NOT_MODIFIED.into_response() } else { body() };
    response.headers_mut().extend(validators(version));
    response
}

fn validators(version: Version) -> HeaderMap {
    HeaderMap::from_iter([
        (header::ETAG, etag(version)),
        (header::VARY, HeaderValue::from_static("Authorization, Docket-On-Behalf-Of")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ])
}
