//! Reading a body: bounded in size, in time, and in the memory that all bodies take together.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use crate::admission::BodyPermit;
use crate::app::App;
use crate::problem::{Code, Problem};

/// In bytes.
const LARGEST: usize = 1024 * 1024;
/// The longest pause within a body.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Reads a body to its end, together with a permit for the memory that it takes.
///
/// A body whose `Content-Length` is too large isn't read at all.
pub(crate) async fn read(app: &App, headers: &HeaderMap, mut body: Body) -> Result<(Bytes, BodyPermit), Problem> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|bytes| bytes > LARGEST as u64) {
        return Err(too_large());
    }
    let mut memory = BodyPermit::default();
    let mut content: Vec<u8> = Vec::new();
    let patience = app.config.body_timeout;
    let end = Instant::now() + patience;
    loop {
        let next =
            timeout_at(end.min(Instant::now() + LONGEST_PAUSE), body.frame()).await.map_err(|_| too_slow(patience))?;
        let Some(frame) = next else { break };
        let frame = frame.map_err(|_| {
            Problem::new(Code::BadRequest, "The body ended early, or its transfer coding is malformed.")
        })?;
        // trailers say nothing here
        let Ok(piece) = frame.into_data() else { continue };
        let bytes = content.len() + piece.len();
        if bytes > LARGEST {
            return Err(too_large());
        }
        app.admission.grow(&mut memory, bytes)?;
        content.extend_from_slice(&piece);
    }
    Ok((content.into(), memory))
}

fn too_large() -> Problem {
    Problem::new(Code::ContentTooLarge, "The body is larger than 1 MiB.")
}

fn too_slow(patience: Duration) -> Problem {
    let detail =
        format!("A body may pause for {} s and take {} s in all.", LONGEST_PAUSE.as_secs(), patience.as_secs());
    Problem::new(Code::BodyTimeout, detail).header(header::CONNECTION, HeaderValue::from_static("close")).retry_after(1)
}
