//! Measures how far the broker lags behind the head of the log, whatever the relay is doing.

use std::time::Duration;

use eventstore::EventStore;

use crate::Config;
use crate::metrics::METRICS;
use crate::reporter::Reporter;

const INTERVAL: Duration = Duration::from_secs(1);

pub(crate) async fn measure_forever(store: &EventStore, config: &Config, reporter: &Reporter) {
    loop {
        if let Err(error) = measure(store, config, reporter).await {
            tracing::debug!(%error, "the relay's lag can't be measured");
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn measure(store: &EventStore, config: &Config, reporter: &Reporter) -> Result<(), eventstore::StoreError> {
    // unknown before the first check
    let Some(position) = reporter.position() else { return Ok(()) };
    let head = store.head().await?;
    let lag = u64::try_from(head.0 - position.0).unwrap_or(0);
    let oldest = if lag == 0 { None } else { store.read_page(position, 1).await?.into_iter().next() };
    let age = oldest.and_then(|event| ((config.now)() - event.recorded_at).to_std().ok());
    METRICS.lag.record(lag, &[]);
    METRICS.oldest.record(age.unwrap_or_default().as_secs_f64(), &[]);
    Ok(())
}
