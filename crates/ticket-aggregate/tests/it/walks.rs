//! Ways through the state machine: commands as they might come, legal or not.

use shared_kernel::testing::{requester, staff};
use shared_kernel::{Actor, AgentId, PersonId, Role, StreamVersion, TeamId};
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use ticket_aggregate::{Command, Context, LinkKind, Priority, Tag, Ticket};

use crate::scenario::{agent, code, context, hour, message_id, person, request, team, ticket_id};

/// Follows, and is named nowhere else.
pub(crate) const ONLOOKER: &str = "gus";

/// Mostly sound, sometimes blank or with a control character.
fn words() -> impl Strategy<Value = String> {
    prop_oneof![9 => "[a-zß\"\\\\\n😀]{1,12}", 1 => any::<String>()]
}
fn agents() -> impl Strategy<Value = AgentId> {
    prop_oneof![Just("ada"), Just("bob")].prop_map(agent)
}
fn teams() -> impl Strategy<Value = TeamId> {
    prop_oneof![Just("hardware"), Just("network")].prop_map(team)
}
fn tags() -> impl Strategy<Value = BTreeSet<Tag>> {
    prop::collection::btree_set("[a-d]".prop_map(|tag| Tag::parse(&tag).unwrap()), 0..3)
}
fn followers() -> impl Strategy<Value = PersonId> {
    prop_oneof![Just("finn"), Just("bob"), Just(ONLOOKER)].prop_map(person)
}
fn requesters() -> impl Strategy<Value = PersonId> {
    prop_oneof![Just("rita"), Just("finn")].prop_map(person)
}
fn links() -> impl Strategy<Value = LinkKind> {
    prop::sample::select(LinkKind::ALL)
}
fn source_ids() -> impl Strategy<Value = Option<String>> {
    prop::option::of("[m-p]")
}

/// 0 stands for the timer in force, see [`Moment::command`].
fn timers() -> impl Strategy<Value = StreamVersion> {
    prop_oneof![3 => Just(0), 1 => 1..30_i64].prop_map(StreamVersion)
}

fn changes() -> impl Strategy<Value = Command> {
    let priorities = prop::sample::select(Priority::ALL);
    prop_oneof![
        teams().prop_map(|team| Command::Route { team }),
        (priorities, prop::option::of(words())).prop_map(|(priority, reason)| Command::Prioritize { priority, reason }),
        words().prop_map(|category| Command::Categorize { category }),
        words().prop_map(|subject| Command::Rename { subject }),
        (requesters(), prop::option::of(words()))
            .prop_map(|(requester, reason)| Command::ChangeRequester { requester, reason }),
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
        2 => timers().prop_map(|set_by| Command::Wake { set_by }),
        2 => timers().prop_map(|set_by| Command::AutoClose { set_by }),
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
    // Finn, who was Rita once
    let mut merged = requester("finn");
    merged.merged.insert(person("rita"));
    prop_oneof![
        6 => Just(requester("rita")),
        2 => Just(requester("finn")),
        1 => Just(merged),
        6 => Just(staff(Role::Agent, "ada")),
        4 => Just(staff(Role::Lead, "lea")),
        2 => Just(staff(Role::Admin, "root")),
        5 => Just(Actor::system("policy")),
    ]
}

/// A command, and what is so when it comes.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    command: Command,
    pub(crate) actor: Actor,
    /// How long after the one before.
    pub(crate) hours: i64,
    blocked: bool,
    available: bool,
}

impl Moment {
    /// The first of a story.
    pub(crate) fn opening(command: Command, actor: Actor) -> Self {
        Self { command, actor, hours: 0, blocked: false, available: true }
    }

    /// The command; a timer without a number becomes the one in force.
    pub(crate) fn command(&self, ticket: Option<&Ticket>) -> Command {
        let in_force = ticket.and_then(|ticket| ticket.timer_set_by).unwrap_or_default();
        match self.command {
            Command::Wake { set_by: StreamVersion(0) } => Command::Wake { set_by: in_force },
            Command::AutoClose { set_by: StreamVersion(0) } => Command::AutoClose { set_by: in_force },
            ref command => command.clone(),
        }
    }

    /// The n-th moment's context.
    pub(crate) fn context(&self, n: u128, now: DateTime<Utc>) -> Context {
        let open_blockers = if self.blocked { vec![ticket_id(9)] } else { Vec::new() };
        let message_id = message_id(n);
        let assignee_available = self.available;
        Context { now, open_blockers, message_id, assignee_available, ..context(self.actor.clone()) }
    }
}

pub(crate) fn moments() -> impl Strategy<Value = Vec<Moment>> {
    let (blocked, available) = (prop::bool::weighted(0.1), prop::bool::weighted(0.7));
    let moment = (commands(), actors(), 0..30_i64, blocked, available)
        .prop_map(|(command, actor, hours, blocked, available)| Moment { command, actor, hours, blocked, available });
    prop::collection::vec(moment, 0..40)
}
