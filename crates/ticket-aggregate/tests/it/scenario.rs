//! The people and the events of the stories that the tests tell, as given/when/then.

use shared_kernel::testing::{self, Given, requester, staff};
pub(crate) use shared_kernel::testing::{agent, hour, person, team};
use shared_kernel::{Actor, Aggregate, IdentityId, PersonId, Personal, Role};
use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use ticket_aggregate::{
    AssignmentMethod, Channel, Command, Context, Event, Message, MessageId, Open, Priority, Recipient, ResolutionCode,
    Tag, Ticket, TicketId, TicketNumber, Trigger,
};
use uuid::Uuid;

/// Somebody of that role; a part of the program has no name of its own.
pub(crate) fn actor(role: Role, name: &str) -> Actor {
    match role {
        Role::Requester => requester(name),
        Role::Agent | Role::Lead | Role::Admin => staff(role, name),
        Role::System => Actor::system("policy"),
    }
}

/// The events in a story happened an hour apart; commands come at hour 24 and may be reopened for 72 hours. Rita and Finn
/// have addresses, and the ticket's agent is there.
pub(crate) fn context(actor: Actor) -> Context {
    Context {
        now: hour(24),
        actor,
        ticket_id: ticket_id(1),
        message_id: message_id(7),
        reopen_window: TimeDelta::hours(72),
        reopen_until: None,
        identities: recipients(&["rita", "finn"]).into_iter().map(|it| (it.person, it.identity)).collect(),
        assignee_teams: None,
        assignee_available: true,
        open_blockers: Vec::new(),
    }
}

pub(crate) fn rita() -> Context {
    context(requester("rita"))
}
pub(crate) fn finn() -> Context {
    context(requester("finn"))
}
pub(crate) fn ada() -> Context {
    context(staff(Role::Agent, "ada"))
}
pub(crate) fn lead() -> Context {
    context(staff(Role::Lead, "lea"))
}
pub(crate) fn admin() -> Context {
    context(staff(Role::Admin, "root"))
}
pub(crate) fn system() -> Context {
    context(Actor::system("timers"))
}
/// The same, at another hour.
pub(crate) fn at(hours: i64, context: Context) -> Context {
    Context { now: hour(hours), ..context }
}
/// The same, while the ticket's agent is not there.
pub(crate) fn absent(context: Context) -> Context {
    Context { assignee_available: false, ..context }
}

pub(crate) fn ticket_id(n: u128) -> TicketId {
    TicketId(Uuid::from_u128(n))
}
pub(crate) fn message_id(n: u128) -> MessageId {
    MessageId(Uuid::from_u128(n))
}
pub(crate) fn person_id(n: usize) -> PersonId {
    PersonId(Uuid::from_u128(u128::try_from(n).unwrap()))
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
/// What somebody wrote, or what was written to them.
pub(crate) fn message(of: &str, body: &str) -> Personal<Message> {
    Personal::new(Some(person(of)), Message { body: body.to_owned() })
}
/// Rita's only address, the second of Finn's.
pub(crate) fn recipients(names: &[&str]) -> Vec<Recipient> {
    let identity = |name: &str| IdentityId(if name == "finn" { 2 } else { 1 });
    names.iter().map(|name| Recipient { person: person(name), identity: identity(name) }).collect()
}

/// A request that leaves everything to the defaults.
pub(crate) fn request() -> Open {
    Open {
        number: TicketNumber::try_from(1042).unwrap(),
        subject: "The printer is on fire".to_owned(),
        body: "Please help.".to_owned(),
        requester: Some(person("rita")),
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
    recorded(routed_request())
}
/// The same for nobody.
pub(crate) fn opened_for_nobody() -> Event {
    recorded(Open { requester: None, ..routed_request() })
}
fn recorded(open: Open) -> Event {
    let events = Ticket::decide(None, &Command::Open(open), &ada()).unwrap();
    events.into_iter().next().unwrap()
}
pub(crate) fn assigned(to: &str) -> Event {
    Event::AgentAssigned { from: None, to: agent(to), method: AssignmentMethod::OwnChoice }
}
pub(crate) fn unassigned(from: &str, reason: Option<&str>) -> Event {
    Event::AgentUnassigned { from: agent(from), reason: reason.map(str::to_owned) }
}
pub(crate) fn followed(follower: &str) -> Event {
    Event::FollowerAdded { follower: person(follower) }
}
pub(crate) fn requester_changed(from: Option<&str>, to: &str) -> Event {
    Event::RequesterChanged { from: from.map(person), to: person(to), reason: text("on behalf") }
}
pub(crate) fn agent_replied() -> Event {
    Event::PublicReplyAdded {
        message_id: message_id(2),
        personal: message("rita", "Which one?"),
        recipients: recipients(&["rita"]),
        source_id: None,
    }
}
pub(crate) fn requester_replied() -> Event {
    Event::RequesterReplied {
        message_id: message_id(3),
        personal: message("rita", "That one."),
        source_id: text("mail-2"),
    }
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
pub(crate) fn reopened(reason: Option<&str>, count: u32, trigger: Trigger) -> Event {
    Event::TicketReopened { reason: reason.map(str::to_owned), count, trigger }
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
