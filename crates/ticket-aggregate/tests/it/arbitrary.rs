//! Any event that there could be, whether or not a ticket could ever have it.

use shared_kernel::{AgentId, IdentityId, PersonId, Personal, TeamId};
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use ticket_aggregate::{
    AssignmentMethod, Channel, ClosedReason, Event, LinkKind, Message, MessageId, Opening, Priority, Recipient,
    ResolutionCode, SubjectChange, Tag, TicketId, TicketNumber, TicketOpened, Trigger,
};
use uuid::Uuid;

/// Letters that grow or shrink when their case changes, quotes, controls, the ends of the planes.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-zA-ZİßŒΣﬃ\"\\\\/\n\t\u{0}\u{7f}\u{2028}\u{feff}😀\u{10ffff}]{0,40}"]
}

fn short<T: std::fmt::Debug>(parse: fn(&str) -> Result<T, shared_kernel::ValueError>) -> impl Strategy<Value = T> {
    let shapes = prop_oneof![8 => "[ a-zA-ZİßΣ0-9_.😀\u{a0}-]{1,70}", 1 => any::<String>(), 1 => "[İß]{60,64}"];
    shapes.prop_filter_map("not such a text", move |text| parse(&text).ok())
}

fn times() -> impl Strategy<Value = DateTime<Utc>> {
    let usual = -62_167_219_200..253_402_300_799_i64;
    let (first, last) = (DateTime::<Utc>::MIN_UTC.timestamp(), DateTime::<Utc>::MAX_UTC.timestamp());
    (prop_oneof![4 => usual, 1 => first..=last], prop_oneof![Just(0), 0..2_000_000_000_u32])
        .prop_filter_map("no such time", |(seconds, nanos)| DateTime::from_timestamp(seconds, nanos))
}

fn tickets() -> impl Strategy<Value = TicketId> {
    any::<u128>().prop_map(|n| TicketId(Uuid::from_u128(n)))
}
fn messages() -> impl Strategy<Value = MessageId> {
    any::<u128>().prop_map(|n| MessageId(Uuid::from_u128(n)))
}
fn agents() -> impl Strategy<Value = AgentId> {
    any::<u128>().prop_map(|n| AgentId(Uuid::from_u128(n)))
}
fn teams() -> impl Strategy<Value = TeamId> {
    any::<u128>().prop_map(|n| TeamId(Uuid::from_u128(n)))
}
fn people() -> impl Strategy<Value = PersonId> {
    prop_oneof![9 => any::<u128>().prop_map(|n| PersonId(Uuid::from_u128(n))), 1 => Just(PersonId::NOBODY)]
}
fn recipients() -> impl Strategy<Value = Recipient> {
    (people(), any::<u32>()).prop_map(|(person, identity)| Recipient { person, identity: IdentityId(identity) })
}
fn personal<T: std::fmt::Debug>(text: impl Strategy<Value = T>) -> impl Strategy<Value = Personal<T>> {
    (people(), text).prop_map(|(of, text)| Personal { of, text })
}
fn said() -> impl Strategy<Value = Personal<Message>> {
    personal(texts().prop_map(|body| Message { body }))
}
fn tags() -> impl Strategy<Value = BTreeSet<Tag>> {
    btree_set(short(Tag::parse), 0..4)
}

fn opened() -> impl Strategy<Value = Event> {
    let who = (1..=i64::MAX, option::of(people()), short(Channel::parse));
    let words = personal((texts(), texts()).prop_map(|(subject, body)| Opening { subject, body }));
    let what = (words, select(Priority::ALL), option::of(texts()), option::of(teams()));
    (who, what, tags(), option::of(texts()), option::of(tickets())).prop_map(
        |((number, requester, channel), (personal, priority, category, team), tags, source_id, follow_up_of)| {
            Event::TicketOpened(Box::new(TicketOpened {
                number: TicketNumber::try_from(number).unwrap(),
                requester,
                channel,
                personal,
                priority,
                category,
                team,
                tags,
                source_id,
                follow_up_of,
            }))
        },
    )
}

fn conversation() -> impl Strategy<Value = Event> {
    prop_oneof![
        (messages(), said(), vec(recipients(), 0..3), option::of(texts())).prop_map(
            |(message_id, personal, recipients, source_id)| Event::PublicReplyAdded {
                message_id,
                personal,
                recipients,
                source_id
            }
        ),
        (messages(), said(), option::of(texts())).prop_map(|(message_id, personal, source_id)| {
            Event::RequesterReplied { message_id, personal, source_id }
        }),
        (messages(), said()).prop_map(|(message_id, personal)| Event::InternalNoteAdded { message_id, personal }),
    ]
}

fn changes() -> impl Strategy<Value = Event> {
    let priorities = || select(Priority::ALL);
    prop_oneof![
        (option::of(agents()), agents(), select(AssignmentMethod::ALL))
            .prop_map(|(from, to, method)| { Event::AgentAssigned { from, to, method } }),
        (agents(), option::of(texts())).prop_map(|(from, reason)| Event::AgentUnassigned { from, reason }),
        (option::of(teams()), teams()).prop_map(|(from, to)| Event::TeamAssigned { from, to }),
        (priorities(), priorities(), option::of(texts())).prop_map(|(from, to, reason)| Event::PriorityChanged {
            from,
            to,
            reason
        }),
        (option::of(texts()), texts()).prop_map(|(from, to)| Event::CategoryChanged { from, to }),
        tags().prop_map(|tags| Event::TagsAdded { tags }),
        tags().prop_map(|tags| Event::TagsRemoved { tags }),
        personal((texts(), texts()).prop_map(|(from, to)| SubjectChange { from, to }))
            .prop_map(|personal| Event::SubjectChanged { personal }),
        (option::of(people()), people(), option::of(texts())).prop_map(|(from, to, reason)| Event::RequesterChanged {
            from,
            to,
            reason
        }),
        (select(LinkKind::ALL), tickets()).prop_map(|(kind, other)| Event::TicketLinked { kind, other }),
        (select(LinkKind::ALL), tickets()).prop_map(|(kind, other)| Event::TicketUnlinked { kind, other }),
        people().prop_map(|follower| Event::FollowerAdded { follower }),
        people().prop_map(|follower| Event::FollowerRemoved { follower }),
    ]
}

fn steps() -> impl Strategy<Value = Event> {
    let triggers = || select(Trigger::ALL);
    prop_oneof![
        Just(Event::WorkStarted {}),
        Just(Event::TicketPended {}),
        (option::of(texts()), option::of(times()))
            .prop_map(|(reason, wake_at)| Event::TicketPutOnHold { reason, wake_at }),
        triggers().prop_map(|trigger| Event::TicketResumed { trigger }),
        (short(ResolutionCode::parse), times())
            .prop_map(|(code, reopen_until)| Event::TicketResolved { code, reopen_until }),
        (option::of(texts()), any::<u32>(), triggers()).prop_map(|(reason, count, trigger)| Event::TicketReopened {
            reason,
            count,
            trigger
        }),
        select(ClosedReason::ALL).prop_map(|reason| Event::TicketClosed { reason }),
    ]
}

/// Every type, every member over all that its Rust type can hold.
pub(crate) fn events() -> impl Strategy<Value = Event> {
    prop_oneof![2 => opened(), 3 => conversation(), 13 => changes(), 7 => steps()]
}
