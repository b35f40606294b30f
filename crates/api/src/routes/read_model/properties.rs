use proptest::prelude::*;

use super::*;

fn line(name: &'static str, text: &str) -> Option<HeaderMap> {
    Some(HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_str(text).ok()?)]))
}

proptest! {
    #[test]
    fn a_position_is_digits_that_fit(text in prop_oneof!["[0-9]{1,20}", "[ +-]?[0-9]{1,3}", any::<String>()]) {
        let Some(headers) = line(MIN_POSITION, &text) else { return Ok(()) };
        let expected = text.parse::<i64>().ok().filter(|_| text.starts_with(|c: char| c.is_ascii_digit()));
        prop_assert_eq!(min_position(&headers).ok(), expected.map(Position));
    }

    /// RFC 7240: names in any case, white space and parameters are no matter, of several the first counts.
    #[test]
    fn a_wait_among_other_preferences_is_heeded(
        before in prop::collection::vec("[a-v][a-z]{0,6}(=\"?[a-z0-9]{1,3}\"?)?(; ?[a-z]=[0-9])?", 0..3),
        name in "[wW][aA][iI][tT]", seconds in prop_oneof![0..40_u64, any::<u64>()],
        equals in prop::sample::select(vec!["=", " = ", "=\t"]), quoted in any::<bool>(), after in "(, ?wait=[0-9])?",
    ) {
        let value = if quoted { format!("\"{seconds}\"") } else { seconds.to_string() };
        let wish = format!("{name}{equals}{value}; x=y{after}");
        let text = before.into_iter().chain([wish]).collect::<Vec<_>>().join(", ");
        prop_assert_eq!(wait(&line("prefer", &text).unwrap()), Some(seconds.min(LONGEST_WAIT)), "{}", text);
    }

    #[test]
    fn no_preference_waits_longer_than_the_longest(text in any::<String>()) {
        let Some(headers) = line("prefer", &text) else { return Ok(()) };
        prop_assert!(wait(&headers).is_none_or(|seconds| seconds <= LONGEST_WAIT));
    }
}
