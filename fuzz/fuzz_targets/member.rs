//! A member's file from arbitrary bytes: `.ci/fuzz 60 member`.

#![no_main]

#[path = "../../tests/fuzzed/member.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::check(data));
