use chrono::DateTime;
use proptest::prelude::*;
use ticket_aggregate::{Priority, Status, Tag, TeamId};

use super::*;
use crate::{Order, Seer, Sort, TicketQuery};

#[path = "../../../../tools/fuzz/replay.rs"]
mod replay;

#[test]
fn the_kept_corpus_holds() {
    for (target, run) in TARGETS {
        replay::corpus(target, *run);
    }
}

fn places() -> impl Strategy<Value = Place> {
    (any::<i64>(), any::<u128>()).prop_map(|(key, id)| Place { key, id: Uuid::from_u128(id) })
}

fn queries() -> impl Strategy<Value = TicketQuery> {
    let seers = prop_oneof![Just(Seer::Everything), Just(Seer::Requester("rita@example.com".into()))];
    let orders = prop::sample::select(vec![Order::Updated, Order::Created, Order::Number, Order::Priority]);
    let words = (
        prop::sample::subsequence(Status::ALL, 0..3),
        prop::sample::subsequence(Priority::ALL, 0..2),
        prop::option::of("[ab]".prop_map(|team| TeamId::parse(&team).unwrap())),
        prop::option::of("[ab]".prop_map(|tag| Tag::parse(&tag).unwrap())),
        prop::option::of("[ab]"),
        prop::option::of("[ab\"]"),
    );
    let times = prop::array::uniform4(prop::option::of(0..2_i64));
    (seers, words, times, orders, any::<bool>()).prop_map(|(seer, words, times, order, descending)| {
        let (status, priority, team, tag, category, q) = words;
        let [created_after, created_before, updated_after, updated_before] =
            times.map(|time| time.and_then(|seconds| DateTime::from_timestamp(seconds, 0)));
        let sort = Sort { order, descending };
        TicketQuery {
            seer,
            status,
            priority,
            team,
            assignee: None,
            requester: None,
            tag,
            category,
            created_after,
            created_before,
            updated_after,
            updated_before,
            q,
            sort,
            limit: 50,
            cursor: None,
        }
    })
}

/// What a query is as a list, member by member: the number of its page and the one who looks don't count.
fn essence(query: &TicketQuery) -> String {
    let requester = matches!(query.seer, Seer::Requester(_));
    let seer = if requester { Seer::Requester(String::new()) } else { Seer::Everything };
    format!("{:?}", TicketQuery { seer, limit: 0, cursor: None, ..query.clone() })
}

proptest! {
    #[test]
    fn a_cursor_holds_for_its_list_alone(place in places(), list in any::<String>()) {
        check(place, &list);
    }

    #[test]
    fn a_flipped_bit_is_no_cursor(place in places(), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut bytes = place.seal(b"a secret", "list").into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let text = String::from_utf8_lossy(&bytes);
        prop_assert_eq!(Place::open(&text, b"a secret", "list"), None, "{}", text);
    }

    #[test]
    fn another_filter_or_order_is_another_list(one in queries(), other in queries()) {
        prop_assert_eq!(one.list() == other.list(), essence(&one) == essence(&other), "{} {}", one.list(), other.list());
    }

    #[test]
    fn one_changed_filter_is_another_list(query in queries(), category in "[ab]") {
        let other = TicketQuery { category: Some(category), ..query.clone() };
        prop_assert_eq!(query.list() == other.list(), query.category == other.category);
        let other = TicketQuery { created_after: query.created_before, created_before: query.created_after, ..query.clone() };
        prop_assert_eq!(query.list() == other.list(), query.created_after == query.created_before);
    }

    #[test]
    fn no_text_makes_opening_panic(text in any::<String>()) {
        cursor(text.as_bytes());
    }
}
