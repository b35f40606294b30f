//! The main loop: check, publish, check again.

use std::time::Duration;

use eventstore::EventStore;

use crate::backoff::Backoff;
use crate::broker::{Broker, BrokerError};
use crate::check::check;
use crate::connection::Connection;
use crate::metrics::METRICS;
use crate::reporter::Reporter;
use crate::session::{Session, StopReason};
use crate::standby::stand_by;
use crate::{Config, State};

/// Relays until the store is closed.
pub(crate) async fn relay_forever(store: &EventStore, config: &Config, reporter: &Reporter) {
    let connection = match Connection::start(&config.url).await {
        Ok(connection) => connection,
        Err(halt) => {
            // the configuration won't change
            reporter.halted(halt);
            return std::future::pending().await;
        }
    };
    let mut backoff = Backoff::default();
    // a relay that has just started is not reported as disconnected yet
    let mut grace = Duration::from_secs(2);
    loop {
        if !connection.is_up() && tokio::time::timeout(std::mem::take(&mut grace), connection.up()).await.is_err() {
            reporter.connecting("there is no connection to the broker");
            connection.up().await;
        }
        match check_and_publish(store, config, reporter, &connection, &mut backoff).await {
            Ok(StopReason::Closed) => return,
            Ok(StopReason::ConnectionLost) => {}
            Ok(StopReason::AnotherPublisher) => {
                let broker = Broker::new(connection.client(), config);
                stand_by(store, &broker, config, reporter).await;
            }
            Ok(StopReason::Unconfirmed(reason)) => {
                tracing::debug!(reason, "publishing was interrupted; checking again");
                backoff.wait().await;
            }
            Err(BrokerError::Halt(halt)) => {
                reporter.halted(halt);
                tokio::time::sleep(config.recheck).await;
            }
            Err(BrokerError::Unavailable(reason)) => {
                reporter.connecting(&reason);
                backoff.wait().await;
            }
        }
    }
}

/// One check, and one run of publishing.
async fn check_and_publish(
    store: &EventStore,
    config: &Config,
    reporter: &Reporter,
    connection: &Connection,
    backoff: &mut Backoff,
) -> Result<StopReason, BrokerError> {
    // subscribed before the check, which must be of the same connection as the session
    let loss = connection.loss();
    let broker = Broker::new(connection.client(), config);
    let bounds = check(store, &broker).await?;
    METRICS.resyncs.add(1, &[]);
    let mut session = Session::open(connection, &broker, config, reporter, bounds).await?;
    let reason = session.run(store, loss).await;
    if session.has_moved(bounds) {
        backoff.reset();
    }
    if let (StopReason::Unconfirmed(detail), State::Live | State::Filling) = (&reason, reporter.state()) {
        tracing::warn!(reason = detail, "publishing was interrupted; the relay checks the stream again");
    }
    Ok(reason)
}
