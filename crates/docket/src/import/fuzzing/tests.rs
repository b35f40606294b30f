use proptest::prelude::*;

use super::*;

#[path = "../../../../../tools/fuzz/replay.rs"]
mod replay;

#[test]
fn the_kept_corpus_holds() {
    for (target, run) in TARGETS {
        replay::corpus(target, *run);
    }
}

/// The sample with one of its lines replaced, doubled or taken away.
fn maps() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "[a-z_]{1,10} = (\"[a-z{}|\\\\]{0,8}\"|[0-9]{1,3}|\\[[a-z\", ]{0,10}\\]|true)",
        "\\[{1,2}[a-z.]{1,10}\\]{1,2}",
        any::<String>(),
        Just(String::new()),
    ];
    (any::<prop::sample::Index>(), line, any::<bool>()).prop_map(|(at, line, kept)| {
        let mut lines: Vec<&str> = SAMPLE.lines().collect();
        let at = at.index(lines.len());
        if kept {
            lines.insert(at, &line);
        } else {
            lines[at] = &line;
        }
        lines.join("\n")
    })
}

fn tables() -> impl Strategy<Value = String> {
    let cell = prop_oneof![
        3 => "[a-z0-9 ]{0,8}",
        2 => "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,12})?(Z|[+-][0-2][0-9]:[0-5][0-9])",
        1 => "\"[a-z,\n]{0,5}\"?",
        1 => any::<String>(),
    ];
    let names = prop_oneof![
        4 => Just("case,activity,completed_at,resource,x,y".to_owned()),
        1 => "[a-c,\" ]{0,9}",
    ];
    let row = prop::collection::vec(cell, 1..8).prop_map(|cells| cells.join(","));
    (names, prop::collection::vec(row, 0..6)).prop_map(|(names, rows)| format!("{names}\n{}", rows.join("\n")))
}

proptest! {
    #[test]
    fn a_fault_of_a_map_has_its_line_or_key(text in prop_oneof![4 => maps(), 1 => any::<String>()]) {
        import_map(text.as_bytes());
    }

    #[test]
    fn every_row_is_read_or_refused_with_its_column(text in tables()) {
        import_table(text.as_bytes());
    }

    #[test]
    fn a_row_of_any_time_is_kept_as_it_will_be_read(
        year in 0..10_000_u32, second in 0..61_u32, nanos in 0..1_000_000_000_u32, offset in 0..24_u32,
    ) {
        let time = format!("{year:04}-12-31T23:59:{second:02}.{nanos:09}-{offset:02}:00");
        let row = format!("case,activity,completed_at,resource\n7,wait,{time},ada\n");
        import_table(row.as_bytes());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        for (_, run) in TARGETS {
            run(&bytes);
        }
    }
}
