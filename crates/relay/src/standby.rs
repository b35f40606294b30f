//! Another relay publishes: this one watches, and takes over when that one stands still while the log goes on.

use eventstore::EventStore;

use crate::backoff::stretched;
use crate::broker::Broker;
use crate::check::hole;
use crate::reporter::Reporter;
use crate::{Config, State};

/// Returns when it is time for another look at everything.
pub(crate) async fn stand_by(store: &EventStore, broker: &Broker<'_>, config: &Config, reporter: &Reporter) {
    let mut before = None;
    loop {
        let (Ok(Some(stream)), Ok(head)) = (broker.held().await, store.head().await) else { return };
        let last = i64::try_from(stream.last).unwrap_or(i64::MAX);
        let stands_still = before == Some(last) && last < head.0;
        if stands_still || last > head.0 || hole(stream).is_some() {
            return;
        }
        reporter.at(State::Standby, last);
        before = Some(last);
        tokio::time::sleep(stretched(config.poll)).await;
    }
}
