//! Ways through the state machine: commands as they might come, legal or not.

use shared_kernel::{Actor, AgentId, Role, TeamId};
use std::collections::BTreeSet;

use proptest::prelude::*;
use ticket_aggregate::{Command, LinkKind, Priority, Tag};

use crate::scenario::{FINN, RITA, code, hour, request, ticket_id};

/// Mostly sound, sometimes blank or with a control character.
pub(crate) fn words() -> impl Strategy<Value = String> {
    prop_oneof![9 => "[a-zß\"\\\\\n😀]{1,12}", 1 => any::<String>()]
}
fn agents() -> impl Strategy<Value = AgentId> {
    prop_oneof![Just("ada"), Just("bob")].prop_map(|id| AgentId::parse(id).unwrap())
}
fn teams() -> impl Strategy<Value = TeamId> {
    prop_oneof![Just("hardware"), Just("network")].prop_map(|id| TeamId::parse(id).unwrap())
}
fn tags() -> impl Strategy<Value = BTreeSet<Tag>> {
    prop::collection::btree_set("[a-d]".prop_map(|tag| Tag::parse(&tag).unwrap()), 0..3)
}
fn followers() -> impl Strategy<Value = String> {
    prop_oneof![Just(FINN.to_owned()), Just("bob".to_owned()), words()]
}
pub(crate) fn links() -> impl Strategy<Value = LinkKind> {
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

pub(crate) fn actors() -> impl Strategy<Value = Actor> {
    prop_oneof![
        3 => Just(Actor::new(Role::Requester, RITA)),
        1 => Just(Actor::new(Role::Requester, FINN)),
        3 => Just(Actor::new(Role::Agent, "ada")),
        2 => Just(Actor::new(Role::Lead, "lea")),
        1 => Just(Actor::new(Role::Admin, "root")),
        2 => Just(Actor::new(Role::System, "policy")),
    ]
}

/// Commands, who issues each, how many hours after the one before, and whether something blocks the ticket then.
pub(crate) fn moments() -> impl Strategy<Value = Vec<(Command, Actor, i64, bool)>> {
    let blocked = prop::bool::weighted(0.1);
    prop::collection::vec((commands(), actors(), 0..30_i64, blocked), 0..40)
}
