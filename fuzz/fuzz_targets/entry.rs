//! An entry from arbitrary bytes: `.ci/fuzz 60 entry`.

#![no_main]

#[path = "../../tests/fuzzed/entry.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::check(data));
