//! `retry` and `skip` of a parked stream (docs/adr/0016). The stream's row in `subscriptions.parked` is its own checkpoint:
//! each step moves it in the transaction that applies the events.

use std::pin::pin;

use eventstore::{EventStore, Position, RecordedEvent, StoreError, StreamId, StreamRange, Version};
use futures_util::{Stream, TryStreamExt};
use sqlx::Connection;

use super::handler::{ApplyError, Content, Envelope, Handler};
use super::parking::{self, Parked};
use super::requests::{Action, Outcome, Request};
use super::session::{Session, SessionError, is_data_error};

/// Carries out a request, and returns the outcome for the operator.
pub(super) async fn carry_out<H: Handler>(
    session: &mut Session<H>,
    request: &Request,
) -> Result<Outcome, SessionError<H::Error>> {
    let Some(parked) = session.parked.get(&request.stream).cloned() else {
        return Ok(Outcome { healed: false, text: "is not parked".to_owned() });
    };
    if let Action::Skip { reason } = &request.action {
        let name = session.handler.name().to_owned();
        parking::skip(session.connection(), &name, &parked, reason, &request.by).await?;
        session.skips.insert(parked.position);
    }
    let store = session.store.clone();
    let mut pages = pin!(passed_over_events(&store, &parked, session.position()));
    let mut page = envelopes(&session.handler, &pages.try_next().await?.unwrap_or_default());
    let mut applied = 0;
    let failed = loop {
        let following = pages.try_next().await?.map(|events| envelopes(&session.handler, &events));
        let next = following.iter().flatten().next().map(untried);
        page.retain(|event| !session.skips.contains(&event.position));
        // usually the cause is gone, and the whole page applies at once
        if step(session, request.stream, &page, next.clone()).await?.is_err()
            && let Some(failed) = one_by_one(session, request.stream, &page, next).await?
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

/// The events that were passed over, page by page: from the one at which the stream stopped to the checkpoint.
fn passed_over_events<'a>(
    store: &'a EventStore,
    parked: &Parked,
    until: Position,
) -> impl Stream<Item = Result<Vec<RecordedEvent>, StoreError>> + use<'a> {
    let range = StreamRange::after(Version(parked.version.0 - 1));
    store.stream_pages(parked.stream, range).map_ok(move |mut page| {
        page.retain(|event| event.position <= until);
        page
    })
}

fn envelopes<H: Handler>(handler: &H, events: &[RecordedEvent]) -> Vec<Envelope<H::Event>> {
    events.iter().map(|event| Envelope::open(handler, event)).collect()
}

/// Applies the events up to the first that can't be applied, and returns that one. `after` is where the stream continues
/// after the last of them.
async fn one_by_one<H: Handler>(
    session: &mut Session<H>,
    stream: StreamId,
    events: &[Envelope<H::Event>],
    after: Option<Parked>,
) -> Result<Option<Parked>, SessionError<H::Error>> {
    for (index, event) in events.iter().enumerate() {
        let next = events.get(index + 1).map(untried).or_else(|| after.clone());
        if let Err(error) = step(session, stream, std::slice::from_ref(event), next).await? {
            let failed = event.parked(error);
            let checkpoint = session.subscription.name().to_owned();
            parking::park(session.connection(), &checkpoint, &failed).await?;
            session.parked.insert(stream, failed.clone());
            return Ok(Some(failed));
        }
    }
    Ok(None)
}

fn untried<E>(event: &Envelope<E>) -> Parked {
    event.parked("not tried yet".to_owned())
}

/// One transaction: these events, and where the stream continues. The inner error says why they can't be applied.
async fn step<H: Handler>(
    session: &mut Session<H>,
    stream: StreamId,
    events: &[Envelope<H::Event>],
    next: Option<Parked>,
) -> Result<Result<(), String>, SessionError<H::Error>> {
    let mut decoded = Vec::new();
    for event in events {
        match &event.content {
            Content::NotSelected => {}
            Content::Decoded(event) => decoded.push(event.clone()),
            Content::Undecodable(error) => return Ok(Err(error.clone())),
        }
    }
    let checkpoint = session.subscription.name().to_owned();
    let Session { subscription, handler, .. } = session;
    let mut transaction = subscription.connection().begin().await?;
    handler.claim(&mut transaction).await?;
    let applied = if decoded.is_empty() { Ok(()) } else { handler.apply(&mut transaction, &decoded).await };
    if let Err(error) = applied {
        handler.rolled_back();
        transaction.rollback().await?;
        return match error {
            ApplyError::NotApplicable { reason, .. } => Ok(Err(reason)),
            ApplyError::Handler(error) => Err(SessionError::Handler(error)),
            ApplyError::Database(error) if is_data_error(&error) => Ok(Err(error.to_string())),
            ApplyError::Database(error) => Err(error.into()),
        };
    }
    match &next {
        None => parking::release(&mut *transaction, &checkpoint, stream).await?,
        Some(next) => parking::park(&mut *transaction, &checkpoint, next).await?,
    }
    transaction.commit().await?;
    match next {
        None => drop(session.parked.remove(&stream)),
        Some(next) => drop(session.parked.insert(stream, next)),
    }
    Ok(Ok(()))
}
