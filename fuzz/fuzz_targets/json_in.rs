//! Bytes as a recording, see `faro_tests::fuzz::json_in`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| faro_tests::fuzz::json_in(bytes));
