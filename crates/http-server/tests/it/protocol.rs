//! Which protocol a client speaks, and requests that are none.

use http_server::ConnectionLimits;
use tokio::io::AsyncWriteExt;

use crate::world::{GET, GET_AND_CLOSE, Server, start_of};

#[tokio::test]
async fn protocol_is_detected_byte_by_byte() {
    let server = Server::start(ConnectionLimits::default()).await;
    let trickled = async |text: &[u8]| {
        let mut stream = server.connect().await;
        stream.set_nodelay(true).unwrap();
        for (n, byte) in text.iter().enumerate() {
            stream.write_all(&[*byte]).await.unwrap();
            if n < 6 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
        start_of(&mut stream).await
    };
    for method in ["GET", "POST", "PUT"] {
        let request = format!("{method} / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(trickled(request.as_bytes()).await, "HTTP/1.1 200", "{method}");
    }
    // HTTP/2 answers its preface and an empty SETTINGS with SETTINGS, which is type 4
    let start = trickled(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    assert_eq!(start.as_bytes()[3], 4, "{start:?}");
}

#[tokio::test]
async fn unreadable_request_gets_the_hooks_body() {
    let server = Server::start(ConnectionLimits::default()).await;
    let body = format!("unreadable at {}", server.address);
    for (request, status) in [
        ("nonsense\r\n\r\n".to_owned(), "400 Bad Request"),
        ("GET / HTTP/9.9\r\n\r\n".to_owned(), "400 Bad Request"),
        ("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ten\r\n\r\n".to_owned(), "400 Bad Request"),
        (format!("GET / HTTP/1.1\r\n{}\r\n", "x: 1\r\n".repeat(200)), "431 Request Header Fields Too Large"),
    ] {
        let response = server.exchange(request.as_bytes()).await;
        let head = format!("HTTP/1.1 {status}\r\nx-from: hooks\r\nconnection: close\r\n");
        assert!(response.starts_with(&head) && response.ends_with(&body), "{response}");
    }
    // also after a sound request on the same connection
    let responses = server.exchange(&[GET, b"nonsense\r\n\r\n"].concat()).await;
    assert!(responses.starts_with("HTTP/1.1 200") && responses.ends_with(&body), "{responses}");
    assert!(server.exchange(GET_AND_CLOSE).await.starts_with("HTTP/1.1 200"));
}
