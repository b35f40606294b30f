use chrono::DateTime;
use proptest::prelude::*;
use shared_kernel::testing::{person, team};
use ticket_aggregate::{Priority, Status, Tag};

use super::*;
use crate::{Filter, Order, Sort, TicketQuery, Viewer};

#[path = "../../../../tools/fuzz/replay.rs"]
mod replay;

#[test]
fn corpus_holds() {
    for (target, run) in TARGETS {
        replay::corpus(target, *run);
    }
}

fn page_cursors() -> impl Strategy<Value = PageCursor<i64>> {
    (any::<i64>(), any::<u128>()).prop_map(|(key, id)| PageCursor { key, id: Uuid::from_u128(id) })
}

fn queries() -> impl Strategy<Value = TicketQuery> {
    let viewers = prop_oneof![Just(Viewer::Everything), Just(Viewer::Requester { people: vec![person("rita")] })];
    let orders = prop::sample::select(vec![Order::Updated, Order::Created, Order::Number, Order::Priority]);
    let words = (
        prop::sample::subsequence(Status::ALL, 0..3),
        prop::sample::subsequence(Priority::ALL, 0..2),
        prop::option::of(prop_oneof![Just(Filter::None), "[ab]".prop_map(|name| Filter::Is(team(&name)))]),
        prop::option::of("[ab]".prop_map(|tag| Tag::parse(&tag).unwrap())),
        prop::option::of("[ab]"),
        prop::option::of("[ab\"]"),
    );
    let times = prop::array::uniform4(prop::option::of(0..2_i64));
    (viewers, words, times, orders, any::<bool>()).prop_map(|(viewer, words, times, order, descending)| {
        let (status, priority, team, tag, category, q) = words;
        let [created_after, created_before, updated_after, updated_before] =
            times.map(|time| time.and_then(|seconds| DateTime::from_timestamp(seconds, 0)));
        let sort = Sort { order, descending };
        TicketQuery {
            viewer,
            status,
            priority,
            team,
            assignee: None,
            requester: Vec::new(),
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

/// A query without what a list does not depend on: page and identity of the viewer.
fn normalized(query: &TicketQuery) -> String {
    let requester = matches!(query.viewer, Viewer::Requester { .. });
    let viewer = if requester { Viewer::Requester { people: Vec::new() } } else { Viewer::Everything };
    format!("{:?}", TicketQuery { viewer, limit: 0, cursor: None, ..query.clone() })
}

proptest! {
    #[test]
    fn cursor_opens_for_its_list_only(cursor in page_cursors(), list in any::<String>()) {
        check(cursor, &list);
    }

    #[test]
    fn flipped_bit_is_rejected(cursor in page_cursors(), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut bytes = cursor.seal(b"a secret", "list").into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let text = String::from_utf8_lossy(&bytes);
        prop_assert_eq!(PageCursor::<i64>::open(&text, b"a secret", "list"), None, "{}", text);
    }

    #[test]
    fn different_query_is_a_different_list(one in queries(), other in queries()) {
        prop_assert_eq!(one.list() == other.list(), normalized(&one) == normalized(&other), "{} {}", one.list(), other.list());
    }

    #[test]
    fn changed_filter_is_a_different_list(query in queries(), category in "[ab]") {
        let other = TicketQuery { category: Some(category), ..query.clone() };
        prop_assert_eq!(query.list() == other.list(), query.category == other.category);
        let other = TicketQuery { created_after: query.created_before, created_before: query.created_after, ..query.clone() };
        prop_assert_eq!(query.list() == other.list(), query.created_after == query.created_before);
    }

    #[test]
    fn open_never_panics(text in any::<String>()) {
        cursor(text.as_bytes());
    }
}
