//! A join request from arbitrary bytes: `.ci/fuzz 60 request`.

#![no_main]

#[path = "../../tests/fuzzed/request.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::check(data));
