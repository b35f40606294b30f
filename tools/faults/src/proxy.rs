//! A wire that can be cut: a TCP proxy between one `docket` and one of its servers. Each process has its own, so that
//! faults can strike one of several; it needs no rights and no network namespace.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// What the wire does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Open,
    /// Connections are ended, and none is made.
    Cut,
    /// What the client sends does not arrive.
    MuteUp,
    /// What the server sends does not arrive.
    MuteDown,
    /// Each piece takes this long.
    Slow(Duration),
}

/// Where it leads.
#[derive(Clone, Debug)]
pub(crate) enum Upstream {
    /// PostgreSQL's socket.
    Unix(PathBuf),
    /// A port of this machine, which may change.
    Tcp(Arc<AtomicU16>),
}

/// One wire, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    mode: watch::Sender<Mode>,
    backends: Backends,
}

/// The server processes at the other end, as PostgreSQL names them.
type Backends = Arc<Mutex<HashSet<i32>>>;

impl Proxy {
    pub(crate) async fn start(upstream: Upstream) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (mode, watched) = watch::channel(Mode::Open);
        let backends = Backends::default();
        tokio::spawn(accept(listener, upstream, watched, backends.clone()));
        Ok(Self { port, mode, backends })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Whether this server process serves this wire.
    pub(crate) fn has_backend(&self, pid: i32) -> bool {
        self.backends.lock().unwrap_or_else(PoisonError::into_inner).contains(&pid)
    }
}

async fn accept(listener: TcpListener, upstream: Upstream, mode: watch::Receiver<Mode>, backends: Backends) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        if *mode.borrow() == Mode::Cut {
            continue;
        }
        client.set_nodelay(true).ok();
        let (upstream, mode, backends) = (upstream.clone(), mode.clone(), backends.clone());
        tokio::spawn(async move {
            match upstream {
                Upstream::Unix(path) => {
                    if let Ok(server) = UnixStream::connect(path).await {
                        join(client, server, mode, Some(backends)).await;
                    }
                }
                Upstream::Tcp(port) => {
                    if let Ok(server) = TcpStream::connect(("127.0.0.1", port.load(Ordering::Relaxed))).await {
                        server.set_nodelay(true).ok();
                        join(client, server, mode, None).await;
                    }
                }
            }
        });
    }
}

async fn join<S>(client: TcpStream, server: S, mode: watch::Receiver<Mode>, backends: Option<Backends>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut cut = mode.clone();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let mut greeting = Greeting { backends, seen: Vec::new(), pid: None };
    tokio::select! {
        // what one side has ended is ended for the other: half-open connections are no subject here
        () = pump(&mut from_client, &mut to_server, mode.clone(), Mode::MuteUp, |_| {}) => {}
        () = pump(&mut from_server, &mut to_client, mode, Mode::MuteDown, |bytes| greeting.read(bytes)) => {}
        _ = cut.wait_for(|mode| *mode == Mode::Cut) => {}
    }
}

async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut mode: watch::Receiver<Mode>,
    mute: Mode,
    mut see: impl FnMut(&[u8]),
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        see(&buffer[..read]);
        if mode.wait_for(|mode| *mode != mute).await.is_err() {
            return;
        }
        let slow = if let Mode::Slow(by) = *mode.borrow() { Some(by) } else { None };
        if let Some(by) = slow {
            tokio::time::sleep(by).await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// PostgreSQL names the process that serves a connection in its `BackendKeyData`, at the beginning.
struct Greeting {
    backends: Option<Backends>,
    seen: Vec<u8>,
    pid: Option<i32>,
}

impl Greeting {
    fn read(&mut self, bytes: &[u8]) {
        let Some(backends) = &self.backends else { return };
        if self.pid.is_some() || self.seen.len() > 8_192 {
            return;
        }
        self.seen.extend_from_slice(bytes);
        if let Some(pid) = backend_pid(&self.seen) {
            self.pid = Some(pid);
            backends.lock().unwrap_or_else(PoisonError::into_inner).insert(pid);
        }
    }
}

impl Drop for Greeting {
    fn drop(&mut self) {
        if let (Some(backends), Some(pid)) = (&self.backends, self.pid) {
            backends.lock().unwrap_or_else(PoisonError::into_inner).remove(&pid);
        }
    }
}

/// From messages of the form type, length, content. One byte `N` before them refuses TLS.
fn backend_pid(mut bytes: &[u8]) -> Option<i32> {
    if let [b'N', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [kind, a, b, c, d, rest @ ..] = bytes {
        let content = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).ok()?.checked_sub(4)?;
        let (content, next) = rest.split_at_checked(content)?;
        if let (b'K', Some(pid)) = (kind, content.first_chunk()) {
            return Some(i32::from_be_bytes(*pid));
        }
        bytes = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backend_pid_is_parsed() {
        let greeting = b"NR\0\0\0\x08\0\0\0\0S\0\0\0\x08a\0b\0K\0\0\0\x0c\0\0\x01\x02\0\0\0\x09Z\0\0\0\x05I";
        assert_eq!(backend_pid(greeting), Some(0x102));
        assert_eq!(backend_pid(&greeting[1..]), Some(0x102));
        assert_eq!(backend_pid(&greeting[..20]), None);
    }

    #[tokio::test]
    async fn cut_ends_connections_and_mute_holds_data() {
        let echo = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = Arc::new(AtomicU16::new(echo.local_addr().unwrap().port()));
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = echo.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = socket.split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        let proxy = Proxy::start(Upstream::Tcp(port)).await.unwrap();
        let mut client = TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap();
        let mut answer = [0; 2];
        client.write_all(b"hi").await.unwrap();
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"hi");

        proxy.set(Mode::MuteDown);
        client.write_all(b"ho").await.unwrap();
        let held = tokio::time::timeout(Duration::from_millis(100), client.read_exact(&mut answer)).await;
        assert!(held.is_err(), "what the server says is held back");
        proxy.set(Mode::Open);
        let mut answer = [0; 2];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"ho");

        proxy.set(Mode::Cut);
        assert_eq!(client.read(&mut answer).await.unwrap_or(0), 0, "it is ended");
    }
}
