//! A variable's value from arbitrary text: `.ci/fuzz 60 template`.

#![no_main]

#[path = "../../tests/fuzzed/template.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::check(data));
