//! What holds for every history.

use chrono::TimeDelta;
use proptest::prelude::*;
use ticket_aggregate::codec::{decode, encode};
use ticket_aggregate::{
    Actor, AgentId, Command, Context, Event, LinkKind, Open, Priority, Role, Stamp, State, Status, StreamVersion, Tag,
    TeamId, Ticket, decide, evolve, legal_step,
};

use crate::samples;
use crate::scenario::{FINN, RITA, code, context, hour, message_id, request, ticket_id};

fn words() -> impl Strategy<Value = String> {
    // mostly sound, sometimes blank or with a control character
    prop_oneof![9 => "[a-zß\"\\\\\n😀]{1,12}", 1 => any::<String>()]
}
fn agents() -> impl Strategy<Value = AgentId> {
    prop_oneof![Just("ada"), Just("bob")].prop_map(|id| AgentId::parse(id).unwrap())
}
fn teams() -> impl Strategy<Value = TeamId> {
    prop_oneof![Just("hardware"), Just("network")].prop_map(|id| TeamId::parse(id).unwrap())
}
fn tags() -> impl Strategy<Value = std::collections::BTreeSet<Tag>> {
    prop::collection::btree_set("[a-d]".prop_map(|tag| Tag::parse(&tag).unwrap()), 0..3)
}
fn followers() -> impl Strategy<Value = String> {
    prop_oneof![Just(FINN.to_owned()), Just("bob".to_owned()), words()]
}
fn links() -> impl Strategy<Value = LinkKind> {
    prop::sample::select(LinkKind::ALL)
}
fn source_ids() -> impl Strategy<Value = Option<String>> {
    prop::option::of("[m-p]")
}

fn changes() -> impl Strategy<Value = Command> {
    let priorities = prop::sample::select(Priority::ALL);
    prop_oneof![
        teams().prop_map(|team| Command::Route { team }),
        (priorities, prop::option::of(words())).prop_map(|(priority, reason)| Command::Prioritize { priority, reason }),
        words().prop_map(|category| Command::Categorize { category }),
        words().prop_map(|subject| Command::Rename { subject }),
        tags().prop_map(|tags| Command::Tag { tags }),
        tags().prop_map(|tags| Command::Untag { tags }),
        followers().prop_map(|follower| Command::Follow { follower }),
        followers().prop_map(|follower| Command::Unfollow { follower }),
        (links(), 1..4_u128).prop_map(|(kind, n)| Command::Link { kind, other: ticket_id(n) }),
        (links(), 1..4_u128).prop_map(|(kind, n)| Command::Unlink { kind, other: ticket_id(n) }),
    ]
}

fn steps() -> impl Strategy<Value = Command> {
    prop_oneof![
        2 => (words(), source_ids()).prop_map(|(body, source_id)| Command::Reply { body, source_id }),
        1 => words().prop_map(|body| Command::Note { body }),
        2 => agents().prop_map(|assignee| Command::Assign { assignee }),
        1 => Just(Command::Unassign),
        1 => Just(Command::Start),
        2 => Just(Command::AwaitRequester),
        2 => (words(), prop::option::of(0..200_i64)).prop_map(|(reason, wake_at)| Command::Hold {
            reason,
            wake_at: wake_at.map(hour),
        }),
        1 => Just(Command::Resume),
        2 => prop::option::of(words())
            .prop_map(|note| Command::Resolve { code: code("solved"), note }),
        1 => Just(Command::Confirm),
        2 => prop::option::of(words()).prop_map(|reason| Command::Reopen { reason }),
        1 => Just(Command::Close),
        1 => Just(Command::Wake),
    ]
}

fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![
        20 => steps(),
        8 => changes(),
        1 => Just(Command::Spam),
        1 => Just(Command::Open(request())),
    ]
}

fn actors() -> impl Strategy<Value = Actor> {
    prop_oneof![
        3 => Just(Actor::new(Role::Requester, RITA)),
        1 => Just(Actor::new(Role::Requester, FINN)),
        3 => Just(Actor::new(Role::Agent, "ada")),
        2 => Just(Actor::new(Role::Lead, "lea")),
        1 => Just(Actor::new(Role::Admin, "root")),
        2 => Just(Actor::new(Role::System, "policy")),
    ]
}

fn moments() -> impl Strategy<Value = Vec<(Command, Actor, i64, bool)>> {
    let blocked = prop::bool::weighted(0.1);
    prop::collection::vec((commands(), actors(), 0..30_i64, blocked), 0..40)
}

/// What holds of a ticket in whatever way it came about.
fn check(ticket: &Ticket) {
    let closed = ticket.status == Status::Closed;
    assert_eq!(ticket.closed_at.is_some(), closed);
    assert_eq!(ticket.closed_reason.is_some(), closed);
    assert!(ticket.status != Status::Resolved || ticket.reopen_until.is_some());
    assert!(ticket.wake_at.is_none() || ticket.status == Status::OnHold);
    assert!(!ticket.agent_replied_since_requester || ticket.agent_replied_publicly);
    assert!(ticket.assignee.is_none() || ticket.status != Status::New);
    let recipients = ticket.recipients();
    assert!(recipients.iter().all(|it| it.contains('@')));
}

struct Run {
    whole: State,
    seen: State,
    version: u64,
}

impl Run {
    fn record(&mut self, event: &Event, context: &Context) {
        assert_eq!(legal_step(&self.whole, event), Ok(()), "{event:?} in {:?}", self.whole);
        let encoded = encode(event).unwrap();
        let read = decode(encoded.event_type, encoded.schema_version, &encoded.payload).unwrap();
        assert_eq!(&read, event);
        self.version += 1;
        let stamp = Stamp { occurred_at: context.now, version: StreamVersion(self.version) };
        self.whole = evolve(self.whole.take(), event, &stamp);
        if let Some(view) = event.public_view() {
            self.seen = evolve(self.seen.take(), &view, &stamp);
        }
    }

    fn step(&mut self, command: &Command, context: &Context) {
        let outcome = decide(&self.whole, command, context);
        assert_eq!(outcome, decide(&self.whole, command, context));
        let Ok(events) = outcome else { return };
        if let Some(before) = &self.whole
            && !events.is_empty()
        {
            let allowed = before.allowed_commands(context.actor.role);
            assert!(allowed.contains(&command.kind()), "{command:?} in {}", before.status);
        }
        for event in &events {
            self.record(event, context);
        }
        if let (Some(whole), Some(seen)) = (&self.whole, &self.seen) {
            check(whole);
            assert_eq!((seen.status, &seen.assignee), (whole.status, &whole.assignee));
            assert_eq!((&seen.subject, seen.priority), (&whole.subject, whole.priority));
            assert_eq!(seen.reopen_until, whole.reopen_until);
            assert!(seen.tags.is_empty() && seen.followers.is_empty() && seen.links.is_empty());
            assert!(seen.source_ids.is_empty() && seen.team.is_none() && seen.category.is_none());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_sequence_of_commands_makes_a_sound_history(moments in moments()) {
        let mut run = Run { whole: None, seen: None, version: 0 };
        let opening = Open { source_id: None, ..request() };
        run.step(&Command::Open(opening), &context(Role::Requester, RITA));
        let mut now = hour(0);
        for (n, (command, actor, hours, blocked)) in (10..).zip(moments) {
            now += TimeDelta::hours(hours);
            let open_blockers = if blocked { vec![ticket_id(9)] } else { Vec::new() };
            let message_id = message_id(n);
            let moment = context(actor.role, &actor.id);
            run.step(&command, &Context { now, open_blockers, message_id, ..moment });
        }
        prop_assert_eq!(run.whole.unwrap().version.0, run.version);
    }

    /// The log may hold what no command would have recorded: folding and auditing take it all the same.
    #[test]
    fn any_order_of_events_folds(order in prop::collection::vec(0..23_usize, 0..40)) {
        let samples = samples::events();
        let mut state = None;
        for (version, index) in (1..).zip(order) {
            let opened = state.is_some();
            let legal = legal_step(&state, &samples[index]);
            prop_assert!(opened || index == 0 || legal.is_err());
            let stamp = Stamp { occurred_at: hour(0), version: StreamVersion(version) };
            state = evolve(state, &samples[index], &stamp);
            prop_assert!(!opened || state.is_some());
        }
    }
}
