//! A pin from arbitrary text: `.ci/fuzz 60 pin`.

#![no_main]

#[path = "../../tests/fuzzed/pin.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::check(data));
