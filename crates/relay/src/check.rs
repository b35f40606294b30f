//! Before anything is published: is this the log's stream, and where does it end?

use eventstore::{EventStore, Position, RecordedEvent};

use crate::broker::{Broker, Held, Trouble};
use crate::envelope::difference;
use crate::status::HaltReason;

/// Where the stream and the log end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) position: i64,
    pub(crate) head: i64,
}

/// Compares the stream with the log, by its ends. `docket audit relay` compares all of it.
pub(crate) async fn check(store: &EventStore, broker: &Broker<'_>) -> Result<Place, Trouble> {
    let stream = broker.ready().await?;
    if let Some(hole) = hole(stream) {
        return Err(Trouble::halt(HaltReason::Hole, hole));
    }
    // read after the stream: what was published was in the log before
    let head = store.head().await.map_err(|fault| unreadable(&fault))?.0;
    let position = i64::try_from(stream.last).unwrap_or(i64::MAX);
    if position > head {
        return Err(Trouble::halt(
            HaltReason::Ahead,
            format!(
                "the stream ends at {position}, the log at {head}: was the database restored from a backup? Restore the \
                 lost events, or delete the stream: it is made anew and filled again"
            ),
        ));
    }
    // the first as well as the last: a foreign stream may end with an event of ours, sent just before it took this one's place
    for sequence in [1, stream.last] {
        if sequence > 0 && sequence <= stream.last {
            compare(store, broker, sequence).await?;
        }
    }
    Ok(Place { position, head })
}

/// What is missing within the stream, in words.
pub(crate) fn hole(held: Held) -> Option<String> {
    let Held { first, last, messages } = held;
    (!held.is_whole()).then(|| {
        format!(
            "the stream holds {messages} messages from {first} to {last}, and should hold all from 1: somebody has deleted \
             or purged messages. It does not heal by itself: delete the stream, and it is made anew and filled again"
        )
    })
}

async fn compare(store: &EventStore, broker: &Broker<'_>, sequence: u64) -> Result<(), Trouble> {
    let position = Position(i64::try_from(sequence).unwrap_or(i64::MAX));
    // gone since it was counted: another look will tell
    let changing = || Trouble::Unavailable(format!("message {sequence} came and went"));
    let message = broker.message(sequence).await?.ok_or_else(changing)?;
    let event = event(store, position).await?;
    let missing = || Trouble::halt(HaltReason::Foreign, format!("there is no event {position} in the log"));
    match difference(&event.ok_or_else(missing)?, &message) {
        None => Ok(()),
        Some(reason) => Err(Trouble::halt(
            HaltReason::Foreign,
            format!(
                "message {sequence} is not the log's event {position}: {reason}. The stream belongs to another database, or to \
                 this one before it was restored: give the relay its own stream, or delete this one"
            ),
        )),
    }
}

async fn event(store: &EventStore, position: Position) -> Result<Option<RecordedEvent>, Trouble> {
    let page = store.read_page(Position(position.0 - 1), 1).await.map_err(|fault| unreadable(&fault))?;
    Ok(page.into_iter().find(|event| event.position == position))
}

pub(crate) fn unreadable(fault: &eventstore::StoreError) -> Trouble {
    Trouble::Unavailable(format!("the log can't be read: {fault}"))
}
