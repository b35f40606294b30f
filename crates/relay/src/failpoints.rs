//! Failpoints for the fault checker (docs/adr/0022). They compile to nothing without the feature `failpoints`.

use eventstore::failpoint::Failpoint;

/// Messages are about to be published.
pub(crate) const BEFORE_PUBLISH: Failpoint = Failpoint::named("relay.before_publish");
/// They are in flight; their acknowledgement has not been read.
#[cfg(feature = "failpoints")]
pub(crate) const PUBLISHED: Failpoint = Failpoint::named("relay.published");
/// Their acknowledgement was read, but not recorded yet.
pub(crate) const ACKNOWLEDGED: Failpoint = Failpoint::named("relay.acknowledged");

/// Reaches [`PUBLISHED`] once the messages have left the process.
#[cfg(feature = "failpoints")]
pub(crate) async fn published(client: &async_nats::Client) {
    client.flush().await.ok();
    PUBLISHED.reached();
}

#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn published(_client: &async_nats::Client) -> std::future::Ready<()> {
    std::future::ready(())
}
