//! The audit of the read models: each live generation against the fold of the log up to its position.
//!
//! It folds by itself, not by the writers: what those get wrong, and what somebody has written into the tables, shows.
//! Memory is bounded by a ticket: rows and streams are read side by side, by id.

use std::collections::{BTreeMap, HashMap, HashSet};

use eventstore::{EventStore, Position, RecordedEvent, StoreError, StreamId};
use futures_util::{Stream, StreamExt};
use sqlx::{Executor, PgConnection};
use ticket_aggregate::{Stamp, State, StreamVersion, Ticket, codec, evolve};

use crate::parked::{self, Parked};
use crate::projector::live_position;
use crate::queues::{self, Place};
use crate::tickets::{self, Stored};

/// Where a read model is not what the log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The read model.
    pub projection: &'static str,
    /// The ticket; none where it is a matter of sums.
    pub ticket: Option<StreamId>,
    /// What differs.
    pub detail: String,
}

/// What the log says of a ticket.
#[derive(Debug, Default)]
struct Said {
    ticket: State,
    last: Position,
    words: tickets::EntryWords,
}

/// How far a generation has read, and what it leaves out.
struct Read {
    position: Position,
    parked: HashMap<StreamId, Parked>,
    skips: HashSet<Position>,
}

impl Read {
    fn has(&self, event: &RecordedEvent) -> bool {
        let parked = self.parked.get(&event.stream_id);
        event.position <= self.position
            && !self.skips.contains(&event.position)
            && parked.is_none_or(|parked| event.position < parked.position)
    }
}

/// Compares; `progress` hears how many events were read.
pub(crate) async fn all(store: &EventStore, mut progress: impl FnMut(u64)) -> Result<Vec<Difference>, StoreError> {
    let mut differences = Vec::new();
    // one snapshot each: rows, cursor and what is left out are of one moment. No two audits at once
    if let Some(mut lead) = store.try_lead("audit tickets").await? {
        tickets_differ(store, lead.connection(), &mut differences, &mut progress).await?;
    }
    if let Some(mut lead) = store.try_lead("audit queues").await? {
        queues_differ(store, lead.connection(), &mut differences, &mut progress).await?;
    }
    Ok(differences)
}

async fn begin(
    connection: &mut PgConnection,
    name: &'static str,
) -> Result<Option<(crate::generations::Generation, Read)>, StoreError> {
    connection.execute("begin isolation level repeatable read read only").await?;
    connection.execute("set local idle_in_transaction_session_timeout = 0").await?;
    // an audit does not migrate: where there are no read models yet, none is wrong
    let there = sqlx::query_scalar("select to_regclass('read_models.generations') is not null");
    if !there.fetch_one(&mut *connection).await? {
        return Ok(None);
    }
    let Some((generation, position)) = live_position(connection, name).await? else { return Ok(None) };
    let parked = parked::all(&mut *connection, name, generation).await?;
    let skips = parked::skips(&mut *connection, name).await?;
    Ok(Some((generation, Read { position, parked, skips })))
}

async fn tickets_differ(
    store: &EventStore,
    connection: &mut PgConnection,
    differences: &mut Vec<Difference>,
    progress: &mut impl FnMut(u64),
) -> Result<(), StoreError> {
    let name = "tickets";
    let Some((generation, read)) = begin(connection, name).await? else { return Ok(()) };
    let mut differ = |ticket: StreamId, detail: String| {
        differences.push(Difference { projection: name, ticket: Some(ticket), detail });
    };
    let mut said = std::pin::pin!(by_ticket(store, &read, progress));
    let mut next = said.next().await.transpose()?;
    let mut after = None;
    loop {
        let rows = tickets::stored(connection, generation, after).await?;
        let Some(last) = rows.last().map(|row| row.id) else { break };
        after = Some(last);
        let (mut sound, mut words) = (Vec::new(), tickets::Words::default());
        for row in rows {
            // tickets of the log that have no row
            while let Some((ticket, _)) = next.as_ref().filter(|(ticket, _)| ticket.0 < row.id) {
                differ(*ticket, "the log has this ticket, the list has not".to_owned());
                next = said.next().await.transpose()?;
            }
            match next.take() {
                Some((ticket, folded)) if ticket.0 == row.id => {
                    if let Some(detail) = wrong(&row, &folded) {
                        differ(ticket, detail);
                    } else {
                        sound.push(ticket.0);
                        words.push(ticket, folded.words);
                    }
                    next = said.next().await.transpose()?;
                }
                other => {
                    differ(StreamId(row.id), "the list has this ticket, the log has not".to_owned());
                    next = other;
                }
            }
        }
        for ticket in tickets::other_words(connection, generation, &sound, words).await? {
            differ(ticket, "the words that it is found by are not those that the log has".to_owned());
        }
    }
    while let Some((ticket, _)) = next {
        differ(ticket, "the log has this ticket, the list has not".to_owned());
        next = said.next().await.transpose()?;
    }
    Ok(())
}

/// What is wrong with a row.
fn wrong(row: &Stored, said: &Said) -> Option<String> {
    let Some(ticket) = &said.ticket else {
        return Some("the list has this ticket, the log never opened it".to_owned());
    };
    match serde_json::from_str::<Ticket>(&row.ticket) {
        Ok(stored) if stored == *ticket => row.differs(ticket, said.last),
        Ok(stored) => Some(format!(
            "the ticket in its row is of version {}, and not what the log says at version {}",
            stored.version, ticket.version
        )),
        Err(error) => Some(format!("the ticket in its row can't be read: {error}")),
    }
}

async fn queues_differ(
    store: &EventStore,
    connection: &mut PgConnection,
    differences: &mut Vec<Difference>,
    progress: &mut impl FnMut(u64),
) -> Result<(), StoreError> {
    let name = "queues";
    let Some((generation, read)) = begin(connection, name).await? else { return Ok(()) };
    let mut expected: BTreeMap<Place, i64> = BTreeMap::new();
    let mut said = std::pin::pin!(by_ticket(store, &read, progress));
    while let Some((_, folded)) = said.next().await.transpose()? {
        if let Some(ticket) = &folded.ticket {
            *expected.entry(Place::of(ticket)).or_default() += 1;
        }
    }
    let stored = queues::counts(connection, generation).await?;
    let places = expected.keys().chain(stored.keys()).collect::<std::collections::BTreeSet<_>>();
    for place in places {
        let counts = [stored.get(place), expected.get(place)].map(|count| count.copied().unwrap_or_default());
        if let [found, right] = counts
            && found != right
        {
            let detail = format!("{place}: {found} tickets are counted, the log has {right}");
            differences.push(Difference { projection: name, ticket: None, detail });
        }
    }
    Ok(())
}

/// The tickets as the log says they are where a generation has read it to, by id. One without an event is left out.
fn by_ticket<'a>(
    store: &'a EventStore,
    read: &'a Read,
    progress: &'a mut impl FnMut(u64),
) -> impl Stream<Item = Result<(StreamId, Said), StoreError>> + 'a {
    let events = Box::pin(store.read_streams().peekable());
    futures_util::stream::try_unfold((events, 0_u64, progress), move |(mut events, mut count, progress)| async move {
        loop {
            let Some(first) = events.next().await.transpose()? else { return Ok(None) };
            let stream = first.stream_id;
            let mut said = Said::default();
            let mut event = Some(first);
            while let Some(now) = event {
                count += 1;
                if read.has(&now) {
                    said.take(&now);
                }
                let same = |next: &Result<RecordedEvent, StoreError>| {
                    next.as_ref().map_or(true, |next| next.stream_id == stream)
                };
                event = events.as_mut().next_if(same).await.transpose()?;
            }
            progress(count);
            if said.ticket.is_some() {
                return Ok(Some(((stream, said), (events, count, progress))));
            }
        }
    })
}

impl Said {
    /// What can't be read is the log's own audit's business; here it changes nothing.
    fn take(&mut self, event: &RecordedEvent) {
        let Ok(decoded) = codec::decode(&event.event_type, event.schema_version, &event.payload) else { return };
        let stamp = Stamp { occurred_at: event.occurred_at, version: StreamVersion(event.version.0.unsigned_abs()) };
        for said in tickets::said(&decoded, event.version.0) {
            self.words.insert(said.entry, (said.public, tickets::vector(said.text)));
        }
        self.ticket = evolve(self.ticket.take(), &decoded, &stamp);
        self.last = event.position;
    }
}
