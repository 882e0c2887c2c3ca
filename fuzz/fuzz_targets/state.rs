//! The state file from arbitrary bytes: `.ci/fuzz 60 state`.

#![no_main]

#[path = "../../tests/fuzzed/state.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::check(data));
