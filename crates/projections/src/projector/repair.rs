//! `retry` and `skip`: what becomes of a parked stream (docs/adr/0016). Its row in `parked` is its cursor: each step
//! moves it in the transaction that applies the events.

use std::pin::pin;

use eventstore::{EventStore, Position, StoreError, StreamId, StreamRange, Version};
use futures_util::{Stream, TryStreamExt};
use sqlx::{Connection, PgConnection};

use crate::parked::{self, Parked};
use crate::projection::{ApplyError, Content, Fact, Incoming, Projection};
use crate::requests::{Action, Outcome, Request};
use crate::session::{Halt, Session, is_for_data};

/// Carries out a request, and says what came of it.
pub(super) async fn carry_out(
    store: &EventStore,
    session: &mut Session,
    connection: &mut PgConnection,
    request: &Request,
) -> Result<Outcome, Halt> {
    let Some(parked) = session.parked.get(&request.stream).cloned() else {
        return Ok(Outcome { healed: false, text: "is not parked".to_owned() });
    };
    if let Action::Skip { reason } = &request.action {
        parked::skip(&mut *connection, session.projection.name(), &parked, reason, &request.by).await?;
        session.skips.insert(parked.position);
    }
    let mut pages = pin!(passed_over(store, session.projection, &parked, session.position));
    let mut page = pages.try_next().await?.unwrap_or_default();
    let mut applied = 0;
    let wrong = loop {
        let following = pages.try_next().await?;
        let next = following.iter().flatten().next().map(untried);
        page.retain(|event| !session.skips.contains(&event.position));
        // usually the cause is gone, and all of a page go at once
        if step(session, connection, request.stream, &page, next.clone()).await?.is_err()
            && let Some(wrong) = one_by_one(session, connection, request.stream, &page, next).await?
        {
            break Some(wrong);
        }
        applied += page.len();
        let Some(following) = following else { break None };
        page = following;
    };
    Ok(match wrong {
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

/// What the projection has passed over, from the event at which the stream stopped to where the projection stands, page by
/// page.
fn passed_over<'a>(
    store: &'a EventStore,
    projection: &'static dyn Projection,
    parked: &Parked,
    until: Position,
) -> impl Stream<Item = Result<Vec<Incoming>, StoreError>> + use<'a> {
    let range = StreamRange::after(Version(parked.version.0 - 1));
    store.stream_pages(parked.stream, range).map_ok(move |page| {
        page.iter().take_while(|event| event.position <= until).map(|event| Incoming::read(projection, event)).collect()
    })
}

/// Up to the event that can't be applied, which is given back. Behind the last of them the stream goes on with `after`.
async fn one_by_one(
    session: &mut Session,
    connection: &mut PgConnection,
    stream: StreamId,
    events: &[Incoming],
    after: Option<Parked>,
) -> Result<Option<Parked>, Halt> {
    for (index, event) in events.iter().enumerate() {
        let next = events.get(index + 1).map(untried).or_else(|| after.clone());
        if let Err(error) = step(session, connection, stream, std::slice::from_ref(event), next).await? {
            let wrong = at(event, error);
            parked::park(&mut *connection, session.projection.name(), session.generation, &wrong).await?;
            session.parked.insert(stream, wrong.clone());
            return Ok(Some(wrong));
        }
    }
    Ok(None)
}

fn untried(event: &Incoming) -> Parked {
    at(event, "not tried yet".to_owned())
}

fn at(event: &Incoming, error: String) -> Parked {
    Parked { stream: event.stream, position: event.position, version: event.version, error }
}

/// One transaction: these events, and where the stream goes on. An inner error tells why they can't be applied.
async fn step(
    session: &mut Session,
    connection: &mut PgConnection,
    stream: StreamId,
    events: &[Incoming],
    next: Option<Parked>,
) -> Result<Result<(), String>, Halt> {
    let mut facts: Vec<Fact> = Vec::new();
    for event in events {
        match &event.content {
            Content::Unwanted => {}
            Content::Fact(fact) => facts.push(Fact::clone(fact)),
            Content::Unreadable(error) => return Ok(Err(error.clone())),
        }
    }
    let (name, generation) = (session.projection.name(), session.generation);
    let mut tx = connection.begin().await?;
    session.claim(&mut tx).await?;
    let applied = if facts.is_empty() { Ok(()) } else { session.writer().apply(&mut tx, &facts).await };
    if let Err(error) = applied {
        session.writer().forget();
        tx.rollback().await?;
        return match error {
            ApplyError::Unfit { reason, .. } => Ok(Err(reason)),
            ApplyError::Database(error) if is_for_data(&error) => Ok(Err(error.to_string())),
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
