use proptest::prelude::*;

use super::*;

#[path = "../../../../tools/fuzz/replay.rs"]
mod replay;

#[test]
fn the_kept_corpus_holds() {
    for (target, run) in TARGETS {
        replay::corpus(target, *run);
    }
}

fn cases(cases: u32) -> ProptestConfig {
    // PROPTEST_CASES goes before it
    let config = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { cases };
    ProptestConfig { cases, failure_persistence: None, ..config }
}

/// Nearly a list of entity tags.
fn tags() -> impl Strategy<Value = String> {
    let tag = prop_oneof![
        4 => "(W/)?\"(7|[0-9]{1,20}|[!#-~]{0,6})\"",
        1 => "[Ww]?/?\"?[ -~\t]{0,6}\"?",
        1 => Just("*".to_owned()),
    ];
    let comma = prop::sample::select(vec![",", ", ", " ,\t", " , ", ",,", " ", "\n"]);
    prop::collection::vec((tag, comma), 0..5).prop_map(|tags| {
        let mut text: String = tags.iter().flat_map(|(tag, comma)| [tag.as_str(), comma]).collect();
        if let Some((_, comma)) = tags.last() {
            text.truncate(text.len() - comma.len());
        }
        text
    })
}

/// JSON with what the contract refuses in some places, and sometimes broken.
fn bodies() -> impl Strategy<Value = String> {
    let names = prop_oneof![4 => "[ab~/]{0,2}", 1 => Just("\\u0000".to_owned()), 1 => Just("é\\\"".to_owned())];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<u64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| format!("{n:e}")),
        "-?[0-9]{1,25}(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?",
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        prop::sample::select(vec!["\"\\u0000\"", "\"\\ud800\"", "\"\\ud83d\\ude00\"", "nul", "+1", "\"", "1."])
            .prop_map(str::to_owned),
    ];
    let tree = leaf.prop_recursive(6, 40, 5, move |inner| {
        let names = names.clone();
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((names, inner), 0..5).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
                format!("{{{}}}", members.join(", "))
            }),
        ]
    });
    (tree, 0..36_usize, prop::sample::select(vec!["", " ", "x", "{}", "\n"])).prop_map(|(inner, depth, tail)| {
        let depth = depth.saturating_sub(20);
        format!("{}{inner}{}{tail}", "[".repeat(depth), "]".repeat(depth))
    })
}

/// A query of what it knows and what it doesn't, percent-encoded as it may come.
fn queries() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "after", "limit", "at", "%61", "x", ""]);
    let value = prop_oneof![
        "[0-9]{0,20}",
        "[a-z0-9%+é.:-]{0,12}",
        "(%[0-9a-fA-F]{2}){0,6}",
        "20[0-9]{2}-0[1-9]-[12][0-9]T1[0-9]:00:00(Z|%2B01:00)",
    ];
    let pair = (name, prop::option::of(value));
    prop::collection::vec(pair, 0..4).prop_map(|pairs| {
        let pairs =
            pairs.into_iter().map(|(name, value)| name.to_owned() + &value.map_or(String::new(), |v| format!("={v}")));
        pairs.collect::<Vec<_>>().join("&")
    })
}

proptest! {
    #![proptest_config(cases(2_048))]

    #[test]
    fn if_match_is_what_its_form_says(text in prop_oneof![3 => tags(), 1 => any::<String>()]) {
        if_match(text.as_bytes());
    }

    #[test]
    fn an_idempotency_key_has_one_name(text in prop_oneof![
        "[!-~]{0,20}", "\"([ -~]|\\\\[\"\\\\]){0,20}\"", "\"[a-z]{1,3}\"[;, ]{0,2}[a-z=1]{0,4}", "[ -~\t\n]{0,8}",
        "[a-z]{253,257}", "\"[a-z\\\\]{253,257}\"", any::<String>(),
    ]) {
        idempotency_key(text.as_bytes());
    }

    #[test]
    fn any_key_can_be_written_bare_and_quoted(key in "[!#-~][!-~]{0,254}") {
        let headers = |text: &str| HeaderMap::from_iter([(
            HeaderName::from_static(idempotency::HEADER), HeaderValue::from_str(text).unwrap(),
        )]);
        let quoted = format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""));
        for text in [&key, &quoted] {
            prop_assert_eq!(idempotency::key(&headers(text)).unwrap(), Some(key.clone()), "{}", text);
        }
    }

    #[test]
    fn a_body_is_what_serde_json_reads_or_refused_at_its_first_fault(text in bodies()) {
        json(text.as_bytes());
    }

    #[test]
    fn no_bytes_make_the_parsers_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        for (_, run) in TARGETS {
            run(&bytes);
        }
    }

    #[test]
    fn a_query_is_taken_to_the_letter(text in queries()) {
        query(text.as_bytes());
    }

    #[test]
    fn any_text_can_be_asked_for(values in prop::collection::btree_map("[a-z]{1,3}", "[^\u{0}]{0,20}", 1..4)) {
        let names: Vec<&str> = values.keys().map(String::as_str).collect();
        let none = Query::read(None, &names).unwrap();
        let (first, rest) = (names[0], &names[1..]);
        let text = rest.iter().fold(none.with(first, &values[first]), |text, name| {
            Query::read(Some(&text), &names).unwrap().with(name, &values[*name])
        });
        let read = Query::read(Some(&text), &names).unwrap();
        for (name, value) in &values {
            prop_assert_eq!(read.text(name), Some(value.as_str()));
        }
    }
}
