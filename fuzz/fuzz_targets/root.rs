//! A root from arbitrary bytes: `.ci/fuzz 60 root`.

#![no_main]

#[path = "../../tests/fuzzed/root.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::check(data));
