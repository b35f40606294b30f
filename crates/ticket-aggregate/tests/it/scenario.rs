//! The people and the events of the stories that the tests tell, as given/when/then.

pub(crate) use shared_kernel::testing::hour;
use shared_kernel::testing::{self, Given};
use shared_kernel::{Actor, AgentId, Aggregate, Requester, Role, TeamId};
use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use ticket_aggregate::{
    AssignmentMethod, Channel, Command, Context, Event, MessageId, Open, Priority, ResolutionCode, Tag, Ticket,
    TicketId, TicketNumber, Trigger,
};
use uuid::Uuid;

pub(crate) const RITA: &str = "rita@example.com";
pub(crate) const FINN: &str = "finn@example.com";

/// The events in a story happened an hour apart; commands come at hour 24 and may be reopened for 72 hours.
pub(crate) fn context(role: Role, id: &str) -> Context {
    Context {
        now: hour(24),
        actor: Actor::new(role, id),
        ticket_id: ticket_id(1),
        message_id: message_id(7),
        reopen_window: TimeDelta::hours(72),
        reopen_until: None,
        assignee_teams: None,
        open_blockers: Vec::new(),
    }
}

pub(crate) fn rita() -> Context {
    context(Role::Requester, RITA)
}
pub(crate) fn ada() -> Context {
    context(Role::Agent, "ada")
}
pub(crate) fn lead() -> Context {
    context(Role::Lead, "lea")
}
pub(crate) fn admin() -> Context {
    context(Role::Admin, "root")
}
pub(crate) fn system() -> Context {
    context(Role::System, "auto-close")
}
/// The same, at another hour.
pub(crate) fn at(hours: i64, context: Context) -> Context {
    Context { now: hour(hours), ..context }
}

pub(crate) fn ticket_id(n: u128) -> TicketId {
    TicketId(Uuid::from_u128(n))
}
pub(crate) fn message_id(n: u128) -> MessageId {
    MessageId(Uuid::from_u128(n))
}
pub(crate) fn agent(id: &str) -> AgentId {
    AgentId::parse(id).unwrap()
}
pub(crate) fn team(id: &str) -> TeamId {
    TeamId::parse(id).unwrap()
}
pub(crate) fn code(code: &str) -> ResolutionCode {
    ResolutionCode::parse(code).unwrap()
}
pub(crate) fn tags(words: &[&str]) -> BTreeSet<Tag> {
    words.iter().map(|word| Tag::parse(word).unwrap()).collect()
}
/// A text where one may be absent.
#[expect(clippy::unnecessary_wraps, reason = "that is its point")]
pub(crate) fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// A request that leaves everything to the defaults.
pub(crate) fn request() -> Open {
    Open {
        number: TicketNumber::try_from(1042).unwrap(),
        subject: "The printer is on fire".to_owned(),
        body: "Please help.".to_owned(),
        requester: Some(Requester::parse(RITA, Some("Rita")).unwrap()),
        channel: Channel::default(),
        priority: Priority::Normal,
        category: None,
        team: None,
        tags: BTreeSet::new(),
        source_id: text("mail-1"),
        follow_up_of: None,
    }
}

/// What an agent may add to it: a team and a tag.
pub(crate) fn routed_request() -> Open {
    Open { team: Some(team("hardware")), tags: tags(&["vip"]), ..request() }
}

/// What `routed_request` records.
pub(crate) fn opened() -> Event {
    let events = Ticket::decide(None, &Command::Open(routed_request()), &ada()).unwrap();
    events.into_iter().next().unwrap()
}
pub(crate) fn assigned(to: &str) -> Event {
    Event::AgentAssigned { from: None, to: agent(to), method: AssignmentMethod::OwnChoice }
}
pub(crate) fn agent_replied() -> Event {
    Event::PublicReplyAdded {
        message_id: message_id(2),
        body: "Which one?".to_owned(),
        recipients: vec![RITA.to_owned()],
        source_id: None,
    }
}
pub(crate) fn requester_replied() -> Event {
    Event::RequesterReplied { message_id: message_id(3), body: "That one.".to_owned(), source_id: text("mail-2") }
}
pub(crate) fn pended() -> Event {
    Event::TicketPended {}
}
pub(crate) fn on_hold(wake_at: Option<DateTime<Utc>>) -> Event {
    Event::TicketPutOnHold { reason: text("awaiting a part"), wake_at }
}
pub(crate) fn resumed(trigger: Trigger) -> Event {
    Event::TicketResumed { trigger }
}
/// Resolved, and to be reopened until hour 48.
pub(crate) fn resolved() -> Event {
    Event::TicketResolved { code: code("solved"), reopen_until: hour(48) }
}
/// Declared solved by the requester, and to be reopened until hour 48.
pub(crate) fn confirmed() -> Event {
    let code = ResolutionCode::confirmed_by_requester();
    Event::TicketResolved { code, reopen_until: hour(48) }
}

pub(crate) fn fold(events: &[Event]) -> Option<Ticket> {
    testing::fold::<Ticket>(events)
}

pub(crate) fn ticket(events: &[Event]) -> Ticket {
    fold(events).expect("the story has an opening")
}

pub(crate) fn given(events: impl Into<Vec<Event>>) -> Given<Ticket> {
    testing::given(events)
}
