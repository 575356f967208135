//! Text as rules, durations, conditions and selectors, see `faro_tests::fuzz::rules_in`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| faro_tests::fuzz::rules_in(text));
