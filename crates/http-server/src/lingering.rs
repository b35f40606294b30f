//! Lingering close, as nginx calls it: the rest of a request body that the service did not read is read and discarded for
//! a moment. A server that closes while bytes are still arriving makes the client's TCP stack drop the response (RFC 9112,
//! section 9.6).

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::runtime::Handle;

/// How long bytes are discarded.
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);
/// How many bytes are discarded.
const LINGER_BYTES: usize = 4 * 1024 * 1024;

/// The body of a request.
#[derive(Debug)]
pub struct Lingering {
    body: Option<Incoming>,
    /// The client waits for `100 Continue`, and sends nothing before it.
    expects_continue: bool,
    ended: bool,
}

impl Lingering {
    pub(super) fn of(request: http::Request<Incoming>) -> http::Request<Self> {
        let expects_continue = request.headers().contains_key(http::header::EXPECT);
        request.map(|body| Self { ended: body.is_end_stream(), body: Some(body), expects_continue })
    }
}

impl Body for Lingering {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(cx);
        // nothing follows an error
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.ended = true;
        }
        self.expects_continue = false;
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Incoming::size_hint)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(body) = self.body.take() else { return };
        if !self.ended
            && !self.expects_continue
            && !body.is_end_stream()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(tokio::time::timeout(LINGER_TIMEOUT, discard(body)));
        }
    }
}

async fn discard(mut body: Incoming) {
    let mut discarded = 0;
    while let Some(Ok(frame)) = body.frame().await {
        discarded += frame.data_ref().map_or(0, Bytes::len);
        if discarded > LINGER_BYTES {
            return;
        }
    }
}
