use proptest::prelude::*;

use super::*;

fn asked(name: &'static str, text: &str) -> Result<TicketQuery, Problem> {
    let encoded = Query::read(None, PARAMETERS).unwrap().with(name, text);
    read(&Query::read(Some(&encoded), PARAMETERS)?, Viewer::Everything).map(|(query, _)| query)
}

proptest! {
    #[test]
    fn a_limit_is_digits_above_zero(text in prop_oneof!["[0-9]{0,25}", "[+-]?[0-9]{1,3}", any::<String>()]) {
        let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        let value = text.bytes().fold(0_i64, |value, c| value.saturating_mul(10).saturating_add(i64::from(c & 15)));
        prop_assert_eq!(parse_limit(&text).ok(), (digits && value > 0).then_some(value));
    }

    #[test]
    fn no_text_of_any_parameter_makes_the_list_panic(
        name in prop::sample::select(PARAMETERS),
        text in prop_oneof![
            any::<String>(),
            "-?(updated_at|created_at|number|priority|other)",
            "(new|open|low|urgent|,| ){0,4}",
            "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:00:[0-6]0(\\.[0-9]{1,12})?(Z|[+-][0-2][0-9]:00)",
        ],
    ) {
        match asked(name, &text) {
            Err(problem) => prop_assert!(text.contains('\0') || format!("{problem:?}").contains(name), "{problem:?}"),
            Ok(query) if name == "sort" => {
                let (word, _) = SORTS.iter().find(|(_, order)| *order == query.sort.order).unwrap();
                let minus = if query.sort.descending { "-" } else { "" };
                prop_assert_eq!(format!("{minus}{word}"), text);
            }
            Ok(query) if name == "status" => {
                let words: Vec<_> = query.status.iter().map(|status| status.as_str()).collect();
                prop_assert_eq!(words.join(","), text);
            }
            Ok(_) => {}
        }
    }
}
