use proptest::prelude::*;

use super::*;

fn query(name: &'static str, text: &str) -> Result<TicketQuery, Problem> {
    let encoded = Query::read(None, PARAMETERS).unwrap().with(name, text);
    read(&Query::read(Some(&encoded), PARAMETERS)?, projections::Seer::Everything)
}

proptest! {
    #[test]
    fn a_limit_is_digits_above_zero(text in prop_oneof!["[0-9]{0,25}", "[+-]?[0-9]{1,3}", any::<String>()]) {
        let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        let value = text.chars().fold(0, |value: u32, c| (value * 10 + c.to_digit(10).unwrap_or(0)).min(200));
        let expected = (digits && value > 0).then(|| u16::try_from(value).unwrap());
        prop_assert_eq!(limit(&text).ok(), expected);
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
        match query(name, &text) {
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
