//! The relay's life: look, publish, look again.

use std::time::Duration;

use eventstore::EventStore;

use crate::backoff::Backoff;
use crate::broker::{Broker, Trouble};
use crate::check::check;
use crate::link::Link;
use crate::metrics::METRICS;
use crate::reporter::Reporter;
use crate::session::{Ended, Session};
use crate::standby::stand_by;
use crate::{Config, State};

/// Relays until the store is closed.
pub(crate) async fn forever(store: &EventStore, config: &Config, reporter: &Reporter) {
    let link = match Link::begin(&config.url).await {
        Ok(link) => link,
        Err(halt) => {
            // what it was told won't change
            reporter.halted(halt);
            return std::future::pending().await;
        }
    };
    let mut backoff = Backoff::default();
    // at the start a connection is not yet missing
    let mut grace = Duration::from_secs(2);
    loop {
        if !link.is_up() && tokio::time::timeout(std::mem::take(&mut grace), link.up()).await.is_err() {
            reporter.connecting("there is no connection to the broker");
            link.up().await;
        }
        match turn(store, config, reporter, &link, &mut backoff).await {
            Ok(Ended::Closed) => return,
            Ok(Ended::Broken) => {}
            Ok(Ended::Overtaken) => {
                let broker = Broker::new(link.client(), config);
                stand_by(store, &broker, config, reporter).await;
            }
            Ok(Ended::Unsettled(reason)) => {
                tracing::debug!(reason, "publishing was interrupted; looking again");
                backoff.wait().await;
            }
            Err(Trouble::Halt(halt)) => {
                reporter.halted(halt);
                tokio::time::sleep(config.recheck).await;
            }
            Err(Trouble::Unavailable(reason)) => {
                reporter.connecting(&reason);
                backoff.wait().await;
            }
        }
    }
}

/// One look and one run of publishing.
async fn turn(
    store: &EventStore,
    config: &Config,
    reporter: &Reporter,
    link: &Link,
    backoff: &mut Backoff,
) -> Result<Ended, Trouble> {
    // from before the look: what it finds must be of the connection that is then used
    let loss = link.loss();
    let broker = Broker::new(link.client(), config);
    let place = check(store, &broker).await?;
    METRICS.resyncs.add(1, &[]);
    let mut session = Session::open(link, &broker, config, reporter, place).await?;
    let ended = session.run(store, loss).await;
    if session.has_moved(place) {
        backoff.reset();
    }
    if let (Ended::Unsettled(reason), State::Live | State::Filling) = (&ended, reporter.state()) {
        tracing::warn!(reason, "the relay was interrupted; it looks again where the broker is");
    }
    Ok(ended)
}
