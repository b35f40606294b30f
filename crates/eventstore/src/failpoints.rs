//! Where the fault checker stops this process (docs/adr/0022). Without the feature `failpoints` nothing of it is compiled.

use crate::failpoint::Place;

/// A batch is about to be sent: nothing of it is in the log.
pub(crate) const BEFORE_SEND: Place = Place::named("append.before_send");
/// A batch is sent, its answer has not been read: it may be in the log or not.
#[cfg(feature = "failpoints")]
pub(crate) const UNDER_WAY: Place = Place::named("append.under_way");
/// A batch is committed, and nobody has been told.
pub(crate) const COMMITTED: Place = Place::named("append.committed");

/// Reaches [`UNDER_WAY`] once the statement has been handed to the kernel, which sends it also for the dead.
#[cfg(feature = "failpoints")]
pub(crate) async fn under_way<T>(answer: impl Future<Output = T>) -> T {
    let mut answer = std::pin::pin!(answer);
    let first = std::future::poll_fn(|context| std::task::Poll::Ready(answer.as_mut().poll(context))).await;
    if let std::task::Poll::Ready(answer) = first {
        return answer;
    }
    UNDER_WAY.reached();
    answer.await
}

#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn under_way<F: Future>(answer: F) -> F {
    answer
}
