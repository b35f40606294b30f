//! Given events, when a command, then events or a refusal: the one shape of a test here. And the people in them.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use ticket_aggregate::{
    Actor, AgentId, AssignmentMethod, Channel, Command, Context, Event, MessageId, Open, Priority, Rejection,
    Requester, ResolutionCode, Role, Stamp, State, StreamVersion, Tag, TeamId, Ticket, TicketId, TicketNumber, Trigger,
    decide, evolve,
};
use uuid::Uuid;

pub(crate) const RITA: &str = "rita@example.com";
pub(crate) const FINN: &str = "finn@example.com";

/// Hours since the ticket was opened, which is when every story begins.
pub(crate) fn hour(hours: i64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 5, 9, 0, 0).unwrap() + TimeDelta::hours(hours)
}

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
        team: Some(team("hardware")),
        tags: tags(&["vip"]),
        source_id: text("mail-1"),
        follow_up_of: None,
    }
}

/// What `request` records.
pub(crate) fn opened() -> Event {
    let events = decide(&None, &Command::Open(request()), &rita()).unwrap();
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

pub(crate) fn fold(events: &[Event]) -> State {
    let mut state = None;
    for (hours, event) in (0..).zip(events) {
        let version = StreamVersion(u64::try_from(hours).unwrap() + 1);
        state = evolve(state, event, &Stamp { occurred_at: hour(hours), version });
    }
    state
}

pub(crate) fn ticket(events: &[Event]) -> Ticket {
    fold(events).expect("the story has an opening")
}

pub(crate) struct Given(Vec<Event>);
pub(crate) struct When {
    before: Vec<Event>,
    outcome: Result<Vec<Event>, Rejection>,
}

pub(crate) fn given(events: impl Into<Vec<Event>>) -> Given {
    Given(events.into())
}

impl Given {
    pub(crate) fn when(self, command: Command, context: Context) -> When {
        let outcome = decide(&fold(&self.0), &command, &context);
        // deciding is free of hidden inputs: the same question has the same answer
        assert_eq!(outcome, decide(&fold(&self.0), &command, &context));
        drop((command, context));
        When { before: self.0, outcome }
    }
}

impl When {
    #[track_caller]
    pub(crate) fn then(self, events: impl Into<Vec<Event>>) -> Given {
        let events = events.into();
        assert_eq!(self.outcome, Ok(events.clone()));
        Given([self.before, events].concat())
    }

    #[track_caller]
    pub(crate) fn then_nothing(self) {
        assert_eq!(self.outcome, Ok(Vec::new()));
    }

    #[track_caller]
    pub(crate) fn then_refused(self, refusal: Rejection) {
        assert_eq!(self.outcome, Err(refusal));
    }
}
