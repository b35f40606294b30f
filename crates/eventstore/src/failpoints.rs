//! The appender's failpoints. Without the feature `failpoints` they do nothing.

use crate::failpoint::Failpoint;

/// A batch is about to be sent; nothing of it is in the log.
pub(crate) const BEFORE_SEND: Failpoint = Failpoint::named("append.before_send");
/// A batch is sent and not answered: it may be in the log or not.
#[cfg(feature = "failpoints")]
pub(crate) const UNDER_WAY: Failpoint = Failpoint::named("append.under_way");
/// A batch is committed, and no caller has its answer.
pub(crate) const COMMITTED: Failpoint = Failpoint::named("append.committed");

/// Reaches [`UNDER_WAY`] once the statement has been handed to the kernel, which sends it even if the process dies.
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
