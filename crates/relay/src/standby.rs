//! Standby: another relay publishes. This one takes over when the stream stops growing while the log does not.

use eventstore::EventStore;

use crate::backoff::with_jitter;
use crate::broker::Broker;
use crate::check::missing_messages;
use crate::reporter::Reporter;
use crate::{Config, State};

/// Returns when it is time for another check.
pub(crate) async fn stand_by(store: &EventStore, broker: &Broker<'_>, config: &Config, reporter: &Reporter) {
    let mut before = None;
    loop {
        let (Ok(Some(stream)), Ok(head)) = (broker.range().await, store.head().await) else { return };
        let last = i64::try_from(stream.last).unwrap_or(i64::MAX);
        let is_stalled = before == Some(last) && last < head.0;
        if is_stalled || last > head.0 || missing_messages(stream).is_some() {
            return;
        }
        reporter.at(State::Standby, last);
        before = Some(last);
        tokio::time::sleep(with_jitter(config.poll)).await;
    }
}
