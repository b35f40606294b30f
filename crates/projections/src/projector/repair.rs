//! `retry` and `skip` of a parked stream (docs/adr/0016). The stream's row in `parked` is its own checkpoint: each step
//! moves it in the transaction that applies the events.

use std::pin::pin;

use eventstore::{EventStore, Position, StoreError, StreamId, StreamRange, Version};
use futures_util::{Stream, TryStreamExt};
use sqlx::{Connection, PgConnection};

use crate::parked::{self, Parked};
use crate::read_model::{ApplyError, Content, DecodedEvent, EventEnvelope, ReadModel};
use crate::requests::{Action, Outcome, Request};
use crate::session::{Session, SessionError, is_data_error};

/// Carries out a request, and returns the outcome for the operator.
pub(super) async fn carry_out(
    store: &EventStore,
    session: &mut Session,
    connection: &mut PgConnection,
    request: &Request,
) -> Result<Outcome, SessionError> {
    let Some(parked) = session.parked.get(&request.stream).cloned() else {
        return Ok(Outcome { healed: false, text: "is not parked".to_owned() });
    };
    if let Action::Skip { reason } = &request.action {
        parked::skip(&mut *connection, session.model.name(), &parked, reason, &request.by).await?;
        session.skips.insert(parked.position);
    }
    let mut pages = pin!(passed_over_events(store, session.model, &parked, session.position));
    let mut page = pages.try_next().await?.unwrap_or_default();
    let mut applied = 0;
    let failed = loop {
        let following = pages.try_next().await?;
        let next = following.iter().flatten().next().map(untried);
        page.retain(|event| !session.skips.contains(&event.position));
        // usually the cause is gone, and the whole page applies at once
        if step(session, connection, request.stream, &page, next.clone()).await?.is_err()
            && let Some(failed) = one_by_one(session, connection, request.stream, &page, next).await?
        {
            break Some(failed);
        }
        applied += page.len();
        let Some(following) = following else { break None };
        page = following;
    };
    Ok(match failed {
        None => Outcome { healed: true, text: format!("goes on: {applied} events were applied") },
        Some(parked) => Outcome {
            healed: false,
            text: format!(
                "still parked, at version {} (position {}): {}",
                parked.version, parked.position, parked.error
            ),
        },
    })
}

/// The events that were passed over, page by page: from the one at which the stream stopped to the projection's position.
fn passed_over_events<'a>(
    store: &'a EventStore,
    model: &'static dyn ReadModel,
    parked: &Parked,
    until: Position,
) -> impl Stream<Item = Result<Vec<EventEnvelope>, StoreError>> + use<'a> {
    let range = StreamRange::after(Version(parked.version.0 - 1));
    store.stream_pages(parked.stream, range).map_ok(move |page| {
        page.iter().take_while(|event| event.position <= until).map(|event| EventEnvelope::open(model, event)).collect()
    })
}

/// Applies the events up to the first that can't be applied, and returns that one. `after` is where the stream continues
/// after the last of them.
async fn one_by_one(
    session: &mut Session,
    connection: &mut PgConnection,
    stream: StreamId,
    events: &[EventEnvelope],
    after: Option<Parked>,
) -> Result<Option<Parked>, SessionError> {
    for (index, event) in events.iter().enumerate() {
        let next = events.get(index + 1).map(untried).or_else(|| after.clone());
        if let Err(error) = step(session, connection, stream, std::slice::from_ref(event), next).await? {
            let failed = event.parked(error);
            parked::park(&mut *connection, session.model.name(), session.generation, &failed).await?;
            session.parked.insert(stream, failed.clone());
            return Ok(Some(failed));
        }
    }
    Ok(None)
}

fn untried(event: &EventEnvelope) -> Parked {
    event.parked("not tried yet".to_owned())
}

/// One transaction: these events, and where the stream continues. The inner error says why they can't be applied.
async fn step(
    session: &mut Session,
    connection: &mut PgConnection,
    stream: StreamId,
    events: &[EventEnvelope],
    next: Option<Parked>,
) -> Result<Result<(), String>, SessionError> {
    let mut decoded: Vec<DecodedEvent> = Vec::new();
    for event in events {
        match &event.content {
            Content::NotSelected => {}
            Content::Decoded(event) => decoded.push(event.clone()),
            Content::Undecodable(error) => return Ok(Err(error.clone())),
        }
    }
    let (name, generation) = (session.model.name(), session.generation);
    let mut tx = connection.begin().await?;
    session.claim(&mut tx).await?;
    let applied = if decoded.is_empty() { Ok(()) } else { session.writer().apply(&mut tx, &decoded).await };
    if let Err(error) = applied {
        session.writer().invalidate();
        tx.rollback().await?;
        return match error {
            ApplyError::NotApplicable { reason, .. } => Ok(Err(reason)),
            ApplyError::UnreadableRow(reason) => Err(SessionError::UnreadableRow(reason)),
            ApplyError::Database(error) if is_data_error(&error) => Ok(Err(error.to_string())),
            ApplyError::Database(error) => Err(error.into()),
        };
    }
    match &next {
        None => parked::release(&mut *tx, name, generation, stream).await?,
        Some(next) => parked::park(&mut *tx, name, generation, next).await?,
    }
    tx.commit().await?;
    match next {
        None => drop(session.parked.remove(&stream)),
        Some(next) => drop(session.parked.insert(stream, next)),
    }
    Ok(Ok(()))
}
