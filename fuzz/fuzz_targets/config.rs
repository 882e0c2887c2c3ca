//! `vault.toml` from arbitrary text: `.ci/fuzz 60 config`.

#![no_main]

#[path = "../../tests/fuzzed/config.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::check(data));
