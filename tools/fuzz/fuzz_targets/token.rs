#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| desk::fuzzing::token(data));
