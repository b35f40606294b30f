//! Bodies as they come in: not too large, not too slow, and not too many at once.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use crate::App;
use crate::admission::Room;
use crate::problem::{Code, Problem};

/// The largest body, in bytes.
pub(crate) const LARGEST: usize = 1024 * 1024;
/// How long is waited for the next piece of a body.
const PIECE: Duration = Duration::from_secs(10);

/// Reads a body to its end, and the memory that it takes.
///
/// One that says beforehand that it is too large isn't read at all.
pub(crate) async fn read(app: &App, headers: &HeaderMap, mut body: Body) -> Result<(Bytes, Room), Problem> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|bytes| bytes > LARGEST as u64) {
        return Err(too_large());
    }
    let mut room = Room::default();
    let mut content: Vec<u8> = Vec::new();
    let patience = app.config.body_timeout;
    let end = Instant::now() + patience;
    loop {
        let next = timeout_at(end.min(Instant::now() + PIECE), body.frame()).await.map_err(|_| too_slow(patience))?;
        let Some(frame) = next else { break };
        let frame =
            frame.map_err(|_| Problem::new(Code::BadRequest, "The body ended before its time, or is no body."))?;
        // trailers say nothing here
        let Ok(piece) = frame.into_data() else { continue };
        let bytes = content.len() + piece.len();
        if bytes > LARGEST {
            return Err(too_large());
        }
        app.admission.make_room(&mut room, bytes)?;
        content.extend_from_slice(&piece);
    }
    Ok((content.into(), room))
}

fn too_large() -> Problem {
    Problem::new(Code::ContentTooLarge, "The body is larger than 1 MiB.")
}

fn too_slow(patience: Duration) -> Problem {
    let detail = format!("A body may pause for {} s and take {} s in all.", PIECE.as_secs(), patience.as_secs());
    // who is so slow begins anew
    Problem::new(Code::BodyTimeout, detail).header(header::CONNECTION, HeaderValue::from_static("close")).retry_after(1)
}
