#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ticket_aggregate::fuzzing::history(data));
