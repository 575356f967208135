//! Bytes as rules, durations, conditions and selectors, see `faro_tests::fuzz::rules_in`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| faro_tests::fuzz::rules_in(bytes));
