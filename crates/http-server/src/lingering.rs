//! Bodies that nobody reads: those of requests that were refused before. A server that closes while bytes are still
//! coming makes the client's machine throw away the answer (RFC 9112, section 9.6). So they are taken in and forgotten
//! for a moment, while the answer goes out; then the connection ends.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::runtime::Handle;

/// For how long, and how much of it.
const MOMENT: Duration = Duration::from_secs(1);
const MOST: usize = 4 * 1024 * 1024;

/// The body of a request.
#[derive(Debug)]
pub struct Lingering {
    body: Option<Incoming>,
    /// The client waits to be told to send it: if nobody reads, it needn't.
    expects: bool,
    ended: bool,
}

impl Lingering {
    pub(super) fn of(request: http::Request<Incoming>) -> http::Request<Self> {
        let expects = request.headers().contains_key(http::header::EXPECT);
        request.map(|body| Self { ended: body.is_end_stream(), body: Some(body), expects })
    }
}

impl Body for Lingering {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(cx);
        // after an error nothing comes any more
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.ended = true;
        }
        self.expects = false;
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
            && !self.expects
            && !body.is_end_stream()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(tokio::time::timeout(MOMENT, forget(body)));
        }
    }
}

async fn forget(mut body: Incoming) {
    let mut forgotten = 0;
    while let Some(Ok(frame)) = body.frame().await {
        forgotten += frame.data_ref().map_or(0, Bytes::len);
        if forgotten > MOST {
            return;
        }
    }
}
