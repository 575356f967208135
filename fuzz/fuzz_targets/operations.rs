//! Bytes as operations on engine and oracle, see `faro_tests::fuzz::operations`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| faro_tests::fuzz::operations(bytes));
