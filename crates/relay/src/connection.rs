//! The connection to the broker; it reconnects by itself.

use std::future::Future;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use tokio::sync::watch;

use crate::backoff::pause;
use crate::status::{Halt, HaltReason};

/// A server that has vanished is noticed after three of these.
const PING: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, Default)]
struct ConnectionState {
    up: bool,
    /// The number of losses so far.
    losses: u64,
}

#[derive(Debug)]
pub(crate) struct Connection {
    client: Client,
    state: watch::Receiver<ConnectionState>,
}

impl Connection {
    /// Starts to connect; [`Self::up`] waits for it. Fails only if the URL is not valid.
    pub(crate) async fn start(url: &str) -> Result<Self, Halt> {
        let invalid = |error: &dyn std::fmt::Display| Halt {
            fault: HaltReason::Url,
            detail: format!("the broker's URL is not valid ({error}); its form is nats://HOST:4222"),
        };
        let servers = servers(url).map_err(|error| invalid(&error))?;
        let (sender, state) = watch::channel(ConnectionState::default());
        let client = options(&servers)
            .retry_on_initial_connect()
            .event_callback(move |event| {
                match event {
                    Event::Connected => sender.send_modify(|connection| connection.up = true),
                    Event::Disconnected | Event::Closed => sender.send_modify(|connection| {
                        connection.up = false;
                        connection.losses += 1;
                    }),
                    other => tracing::debug!(event = %other, "the connection to the broker"),
                }
                std::future::ready(())
            })
            .connect(servers)
            .await
            .map_err(|error| invalid(&error))?;
        Ok(Self { client, state })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn is_up(&self) -> bool {
        self.state.borrow().up
    }

    /// Waits until connected.
    pub(crate) async fn up(&self) {
        // the sender lives as long as the client
        self.state.clone().wait_for(|connection| connection.up).await.ok();
    }

    /// Completes when the connection is lost after this call: messages sent over it may not have arrived.
    pub(crate) fn loss(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut connection = self.state.clone();
        let before = connection.borrow_and_update().losses;
        async move {
            connection.wait_for(|connection| connection.losses != before).await.ok();
        }
    }
}

/// Connects once to the servers of a URL as in [`crate::Config::url`], or returns the reason why not.
pub async fn connect(url: &str) -> Result<Client, String> {
    let servers = servers(url).map_err(|error| error.to_string())?;
    options(&servers).connect(servers).await.map_err(|error| error.to_string())
}

fn servers(url: &str) -> std::io::Result<Vec<ServerAddr>> {
    url.split(',').map(|server| server.trim().parse()).collect()
}

/// With the user and password, or the token, of the first URL that has one: the client does not read them from a URL by itself.
fn options(servers: &[ServerAddr]) -> ConnectOptions {
    let user = servers.iter().find_map(|server| Some((decoded(server.username()?), server.password().map(decoded))));
    let options = match user {
        Some((user, Some(password))) => ConnectOptions::with_user_and_password(user, password),
        Some((token, None)) => ConnectOptions::with_token(token),
        None => ConnectOptions::new(),
    };
    options
        .name("docket relay")
        .ping_interval(PING)
        .connection_timeout(CONNECT)
        // the envelope builds valid subjects only
        .skip_subject_validation(true)
        .reconnect_delay_callback(|attempts| match attempts {
            0 | 1 => Duration::ZERO,
            more => pause(u32::try_from(more).unwrap_or(u32::MAX)),
        })
}

/// Percent-decoded (RFC 3986); an invalid escape stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escape = (byte == b'%').then(|| after.get(..2)).flatten();
        let value = escape.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(value.unwrap_or(byte));
        rest = if value.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_info_is_percent_decoded() {
        for (text, expected) in
            [("plain", "plain"), ("p%40ss%2Fw%c3%b6rd", "p@ss/wörd"), ("100%", "100%"), ("%zz%4", "%zz%4")]
        {
            assert_eq!(decoded(text), expected);
        }
    }
}
