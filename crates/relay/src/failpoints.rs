//! Where the fault checker stops this process (docs/adr/0022). Without the feature `failpoints` nothing of it is compiled.

/// Some messages are about to be published.
pub(crate) const BEFORE_PUBLISH: Place = place("relay.before_publish");
/// They are on their way, and their acknowledgement has not been read.
#[cfg(feature = "failpoints")]
pub(crate) const PUBLISHED: Place = place("relay.published");
/// Their acknowledgement was read, and not yet noted.
pub(crate) const ACKNOWLEDGED: Place = place("relay.acknowledged");

#[cfg(feature = "failpoints")]
type Place = &'static str;
#[cfg(feature = "failpoints")]
const fn place(name: &'static str) -> Place {
    name
}

/// Its name goes nowhere.
#[cfg(not(feature = "failpoints"))]
pub(crate) struct Place;
#[cfg(not(feature = "failpoints"))]
const fn place(_name: &'static str) -> Place {
    Place
}

/// Ends the process on the spot where the checker has armed the place (`FAILPOINTS`).
#[cfg(feature = "failpoints")]
pub(crate) fn reached(place: Place) {
    fail::fail_point!(place, |_| std::process::abort());
}

#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn reached(_place: Place) {}

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
