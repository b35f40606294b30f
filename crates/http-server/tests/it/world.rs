//! A server to test, and clients that send bytes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use http_server::{ConnectionError, ConnectionLimits, Hooks, RequestBody};
use hyper::body::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

/// Longer than any response takes.
const PATIENCE: Duration = Duration::from_secs(25);

/// A request that is answered, on a connection that stays open.
pub(crate) const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
/// One after which the server closes.
pub(crate) const GET_AND_CLOSE: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

/// What the hooks were told.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) open: AtomicI64,
    pub(crate) refused: AtomicU64,
}

struct TestHooks(Arc<Counts>);

impl Hooks for TestHooks {
    fn error_response(&self, error: ConnectionError, local: Option<SocketAddr>) -> Response<String> {
        let (status, text) = match error {
            ConnectionError::TooManyConnections => (StatusCode::SERVICE_UNAVAILABLE, "too many".to_owned()),
            ConnectionError::Unreadable(status) => (status, format!("unreadable at {}", local.unwrap())),
        };
        Response::builder().status(status).header("x-from", "hooks").body(text).unwrap()
    }

    fn connection_opened(&self) {
        self.0.open.fetch_add(1, Ordering::Relaxed);
    }

    fn connection_closed(&self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }

    fn connection_refused(&self) {
        self.0.refused.fetch_add(1, Ordering::Relaxed);
    }
}

/// A running server, whose handler reads the body and echoes it. `/held` is answered after [`Server::release`].
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) counts: Arc<Counts>,
    held: Arc<Notify>,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<std::io::Result<()>>,
}

async fn answer(request: Request<RequestBody>, held: Arc<Notify>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() == "/held" {
        held.notified().await;
    }
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes);
    Ok(Response::new(Full::new(body.unwrap_or_default())))
}

impl Server {
    pub(crate) async fn start(limits: ConnectionLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let (counts, held) = (Arc::<Counts>::default(), Arc::<Notify>::default());
        let of_handler = held.clone();
        let service = tower::service_fn(move |request| answer(request, of_handler.clone()));
        let shutdown = async move { drop(stopped.await) };
        let served = tokio::spawn(http_server::serve(listener, service, TestHooks(counts.clone()), limits, shutdown));
        Self { address, counts, held, stop: Some(stop), served }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes, and returns all that the server sends until it closes.
    pub(crate) async fn exchange(&self, request: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request).await.unwrap();
        rest(&mut stream).await
    }

    /// Lets one request to `/held` be answered.
    pub(crate) fn release(&self) {
        self.held.notify_one();
    }

    pub(crate) fn begin_shutdown(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) async fn stopped(mut self) {
        self.begin_shutdown();
        self.served.await.unwrap().unwrap();
    }
}

/// All that still comes until the server closes.
pub(crate) async fn rest(stream: &mut TcpStream) -> String {
    let mut response = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut response)).await;
    // a reset is an end, too
    read.unwrap_or_else(|_| panic!("the server never closed after {:?}", String::from_utf8_lossy(&response))).ok();
    String::from_utf8_lossy(&response).into_owned()
}

/// The first bytes of a response.
pub(crate) async fn start_of(stream: &mut TcpStream) -> String {
    let mut start = [0; 12];
    let read = tokio::time::timeout(PATIENCE, stream.read_exact(&mut start)).await;
    read.expect("no response").unwrap();
    String::from_utf8_lossy(&start).into_owned()
}

/// Waits until a condition holds.
pub(crate) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
