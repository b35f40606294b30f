//! The check before anything is published: whether the stream belongs to the log, and where both end.

use eventstore::{EventStore, Position, RecordedEvent};

use crate::broker::{Broker, BrokerError, StreamRange};
use crate::envelope::identity_difference;
use crate::status::HaltReason;

/// The ends of stream and log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamBounds {
    pub(crate) position: i64,
    pub(crate) head: i64,
}

/// Compares the first and the last message of the stream with the log; `docket audit relay` compares all.
pub(crate) async fn check(store: &EventStore, broker: &Broker<'_>) -> Result<StreamBounds, BrokerError> {
    let stream = broker.ready().await?;
    if let Some(missing) = missing_messages(stream) {
        return Err(BrokerError::halt(HaltReason::Hole, missing));
    }
    // read after the stream: what is published was in the log before
    let head = store.head().await.map_err(|error| unreadable(&error))?.0;
    let position = i64::try_from(stream.last).unwrap_or(i64::MAX);
    if position > head {
        return Err(BrokerError::halt(
            HaltReason::Ahead,
            format!(
                "the stream ends at {position}, the log at {head}: was the database restored from a backup? Restore the \
                 lost events, or delete the stream: the relay creates and fills it again"
            ),
        ));
    }
    // the first as well as the last: a foreign stream may end with an event of ours that was sent just before it took this
    // one's place
    for sequence in [1, stream.last] {
        if sequence > 0 && sequence <= stream.last {
            compare(store, broker, sequence).await?;
        }
    }
    Ok(StreamBounds { position, head })
}

/// Describes missing messages; `None`: the stream is complete.
pub(crate) fn missing_messages(range: StreamRange) -> Option<String> {
    let StreamRange { first, last, messages } = range;
    (!range.is_whole()).then(|| {
        format!(
            "the stream holds {messages} messages from {first} to {last}, and should hold all from 1: somebody has deleted \
             or purged messages. Delete the stream: the relay creates and fills it again"
        )
    })
}

async fn compare(store: &EventStore, broker: &Broker<'_>, sequence: u64) -> Result<(), BrokerError> {
    let position = Position(i64::try_from(sequence).unwrap_or(i64::MAX));
    // it was deleted in the meantime: the next check will tell
    let changing = || BrokerError::Unavailable(format!("message {sequence} was deleted during the check"));
    let message = broker.message(sequence).await?.ok_or_else(changing)?;
    let event = event(store, position).await?;
    let missing = || BrokerError::halt(HaltReason::Foreign, format!("there is no event {position} in the log"));
    match identity_difference(&event.ok_or_else(missing)?, &message.payload) {
        None => Ok(()),
        Some(reason) => Err(BrokerError::halt(
            HaltReason::Foreign,
            format!(
                "message {sequence} is not the log's event {position}: {reason}. The stream belongs to another database, or to \
                 this one before it was restored: give the relay its own stream, or delete this one"
            ),
        )),
    }
}

async fn event(store: &EventStore, position: Position) -> Result<Option<RecordedEvent>, BrokerError> {
    let page = store.read_page(Position(position.0 - 1), 1).await.map_err(|error| unreadable(&error))?;
    Ok(page.into_iter().find(|event| event.position == position))
}

pub(crate) fn unreadable(error: &eventstore::StoreError) -> BrokerError {
    BrokerError::Unavailable(format!("the log can't be read: {error}"))
}
