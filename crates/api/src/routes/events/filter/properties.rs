use axum::http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn last_event_ids(lines: &[String]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(LAST_EVENT_ID, HeaderValue::from_str(line).ok()?);
    }
    Some(headers)
}

proptest! {
    #[test]
    fn a_last_event_id_is_one_position(lines in prop::collection::vec(
        prop_oneof!["[0-9]{1,20}", "[+-]?[0-9]{1,3}(e[0-9])?", any::<String>()], 0..3,
    )) {
        let Some(headers) = last_event_ids(&lines) else { return Ok(()) };
        let expected = match lines.as_slice() {
            [] => Ok(None),
            [line] => {
                let digits = line.trim();
                let digits = Some(digits).filter(|d| !d.is_empty() && d.chars().all(|c| c.is_ascii_digit()));
                digits.and_then(|digits| digits.parse().ok()).map(Some).ok_or(())
            }
            _ => Err(()),
        };
        prop_assert_eq!(last_event_id(&headers).map_err(drop), expected);
    }

    #[test]
    fn the_next_page_is_asked_for_as_this_one_was(after in 0..i64::MAX, limit in prop::option::of(1..1_000_i64),
        types in prop::collection::btree_set(prop::sample::select(type_names().collect::<Vec<_>>()), 0..4)) {
        let types: BTreeSet<String> = types.into_iter().map(str::to_owned).collect();
        let asked = EventFilter { ticket: None, after: Position(after), types, limit };
        let next = read(None, Some(&asked.next(Position(after))), &HeaderMap::new()).unwrap();
        prop_assert_eq!((next.after, &next.types, next.page_size()), (asked.after, &asked.types, asked.page_size()));
    }
}
