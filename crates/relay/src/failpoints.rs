//! Where the fault checker stops this process (docs/adr/0022). Without the feature `failpoints` nothing of it is compiled.

/// Some messages are about to be published.
pub(crate) const BEFORE_PUBLISH: &str = "relay.before_publish";
/// They are on their way, and their acknowledgement has not been read.
#[cfg(feature = "failpoints")]
pub(crate) const PUBLISHED: &str = "relay.published";
/// Their acknowledgement was read, and not yet noted.
pub(crate) const ACKNOWLEDGED: &str = "relay.acknowledged";

/// Ends the process on the spot where the checker has armed the place (`FAILPOINTS`).
#[cfg(feature = "failpoints")]
pub(crate) fn reached(place: &str) {
    fail::fail_point!(place, |_| std::process::abort());
}

#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn reached(_place: &str) {}

/// Reaches [`PUBLISHED`] once the messages have left the process.
#[cfg(feature = "failpoints")]
pub(crate) async fn published(client: &async_nats::Client) {
    client.flush().await.ok();
    reached(PUBLISHED);
}

#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn published(_client: &async_nats::Client) -> std::future::Ready<()> {
    std::future::ready(())
}
