//! Where the fault checker stops this process (docs/adr/0022). Without the feature `failpoints` nothing of it is compiled.

/// A batch is about to be sent: nothing of it is in the log.
pub(crate) const BEFORE_SEND: Place = place("append.before_send");
/// A batch is sent, its answer has not been read: it may be in the log or not.
#[cfg(feature = "failpoints")]
pub(crate) const UNDER_WAY: Place = place("append.under_way");
/// A batch is committed, and nobody has been told.
pub(crate) const COMMITTED: Place = place("append.committed");

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

/// Reaches [`UNDER_WAY`] once the statement has been handed to the kernel, which sends it also for the dead.
#[cfg(feature = "failpoints")]
pub(crate) async fn under_way<T>(answer: impl Future<Output = T>) -> T {
    let mut answer = std::pin::pin!(answer);
    let first = std::future::poll_fn(|context| std::task::Poll::Ready(answer.as_mut().poll(context))).await;
    if let std::task::Poll::Ready(answer) = first {
        return answer;
    }
    reached(UNDER_WAY);
    answer.await
}

#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn under_way<F: Future>(answer: F) -> F {
    answer
}
