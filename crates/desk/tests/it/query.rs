//! What the tests ask a desk, in terms of their own.

use desk::{AsOf, Desk, Entry};
use eventstore::Version;
use shared_kernel::DomainEvent;
use shared_kernel::Principal;
use ticket_aggregate::{Event, Ticket, TicketId};

use crate::cast::hour;
use crate::when::{Refusal, refusal};
use crate::world::{short, since_setup};

/// A ticket as its reader may see it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    pub(crate) version: i64,
    pub(crate) position: i64,
    pub(crate) ticket: Ticket,
}

/// A page of a ticket's history.
#[derive(Debug)]
pub(crate) struct Page {
    /// The ticket's.
    pub(crate) version: i64,
    pub(crate) versions: Vec<i64>,
    pub(crate) types: Vec<String>,
    pub(crate) events: Vec<Event>,
    /// Some event has a cause.
    pub(crate) causes: bool,
    /// The version after which to read on.
    pub(crate) more: Option<i64>,
}

pub(crate) async fn now(desk: &Desk, caller: &Principal, ticket: TicketId) -> Result<View, Refusal> {
    as_of(desk, caller, ticket, AsOf::Now).await
}

pub(crate) async fn at_version(
    desk: &Desk,
    caller: &Principal,
    ticket: TicketId,
    version: i64,
) -> Result<View, Refusal> {
    as_of(desk, caller, ticket, AsOf::Version(Version(version))).await
}

pub(crate) async fn at_time(desk: &Desk, caller: &Principal, ticket: TicketId, hours: i64) -> Result<View, Refusal> {
    as_of(desk, caller, ticket, AsOf::Time(hour(hours))).await
}

async fn as_of(desk: &Desk, caller: &Principal, ticket: TicketId, as_of: AsOf) -> Result<View, Refusal> {
    let read = desk.ticket(ticket, as_of, caller).await.map_err(refusal)?;
    let ticket = read.state.seen_by(caller).into_owned();
    Ok(View { version: read.version.0, position: since_setup(read.position), ticket })
}

/// Whether the ticket is there for the caller.
pub(crate) async fn sees(desk: &Desk, caller: &Principal, ticket: TicketId) -> bool {
    match now(desk, caller, ticket).await {
        Ok(_) => true,
        Err(refusal) => {
            assert_eq!(refusal.code, "not_found");
            false
        }
    }
}

pub(crate) async fn page(
    desk: &Desk,
    caller: &Principal,
    ticket: TicketId,
    after: i64,
    limit: usize,
) -> Result<Page, Refusal> {
    page_where(desk, caller, ticket, after, limit, |_| true).await
}

pub(crate) async fn page_where(
    desk: &Desk,
    caller: &Principal,
    ticket: TicketId,
    after: i64,
    limit: usize,
    wanted: impl Fn(&Event) -> bool,
) -> Result<Page, Refusal> {
    let wanted = |entry: &Entry| wanted(&entry.event);
    let page = desk.history_page(ticket, caller, Version(after), limit, wanted).await;
    let (current, entries, more) = page.map_err(refusal)?;
    Ok(Page {
        version: current.version.0,
        versions: entries.iter().map(|entry| entry.version.0).collect(),
        types: entries.iter().map(|entry| short(entry.event.event_type())).collect(),
        causes: entries.iter().any(|entry| entry.cause.is_some()),
        events: entries.into_iter().map(|entry| entry.event).collect(),
        more: more.map(|version| version.0),
    })
}

/// The versions of an operator's replay up to a version, and of how many in all.
pub(crate) async fn replay(desk: &Desk, ticket: TicketId, until: Option<i64>) -> Result<(Vec<i64>, usize), Refusal> {
    let until = until.map_or(AsOf::Now, |version| AsOf::Version(Version(version)));
    let history = desk.history::<Ticket>(ticket, until).await.map_err(refusal)?;
    assert_eq!(history.record.version, history.entries.last().unwrap().version);
    Ok((history.entries.iter().map(|entry| entry.version.0).collect(), history.of))
}
