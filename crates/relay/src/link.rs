//! The connection to the broker: made again whenever it is lost.

use std::future::Future;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use tokio::sync::watch;

use crate::backoff::pause;
use crate::status::{Halt, HaltReason};

/// A server that has gone without a word is noticed after three of these.
const PING: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, Default)]
struct Connection {
    up: bool,
    /// How often it has been lost.
    losses: u64,
}

#[derive(Debug)]
pub(crate) struct Link {
    client: Client,
    connection: watch::Receiver<Connection>,
}

impl Link {
    /// Begins to connect; [`Self::up`] tells when it has succeeded. Fails only where the URL can't be read.
    pub(crate) async fn begin(url: &str) -> Result<Self, Halt> {
        let wrong = |error: &dyn std::fmt::Display| Halt {
            fault: HaltReason::Url,
            detail: format!("the broker's URL can't be read ({error}); it has the form nats://HOST:4222"),
        };
        let servers = servers(url).map_err(|error| wrong(&error))?;
        let (state, connection) = watch::channel(Connection::default());
        let client = options()
            .retry_on_initial_connect()
            .event_callback(move |event| {
                match event {
                    Event::Connected => state.send_modify(|connection| connection.up = true),
                    Event::Disconnected | Event::Closed => state.send_modify(|connection| {
                        connection.up = false;
                        connection.losses += 1;
                    }),
                    other => tracing::debug!(event = %other, "the connection to the broker"),
                }
                std::future::ready(())
            })
            .connect(servers)
            .await
            .map_err(|error| wrong(&error))?;
        Ok(Self { client, connection })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn is_up(&self) -> bool {
        self.connection.borrow().up
    }

    /// Returns when there is a connection.
    pub(crate) async fn up(&self) {
        // the sender lives as long as the client
        self.connection.clone().wait_for(|connection| connection.up).await.ok();
    }

    /// Returns when the connection has been lost, counted from the call: what was sent over it may not have arrived.
    pub(crate) fn loss(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut connection = self.connection.clone();
        let before = connection.borrow_and_update().losses;
        async move {
            connection.wait_for(|connection| connection.losses != before).await.ok();
        }
    }
}

/// Connects once, or says why not.
pub(crate) async fn connect_once(url: &str) -> Result<Client, String> {
    let servers = servers(url).map_err(|error| error.to_string())?;
    options().connect(servers).await.map_err(|error| error.to_string())
}

fn servers(url: &str) -> std::io::Result<Vec<ServerAddr>> {
    url.split(',').map(|server| server.trim().parse()).collect()
}

fn options() -> ConnectOptions {
    ConnectOptions::new()
        .name("docket relay")
        .ping_interval(PING)
        .connection_timeout(CONNECT)
        // subjects are made here, from letters that fit
        .skip_subject_validation(true)
        .reconnect_delay_callback(|attempts| match attempts {
            0 | 1 => Duration::ZERO,
            more => pause(u32::try_from(more).unwrap_or(u32::MAX)),
        })
}
