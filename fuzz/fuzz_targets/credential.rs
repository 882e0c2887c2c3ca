//! A credential from arbitrary text and bytes: `.ci/fuzz 60 credential`.

#![no_main]

#[path = "../../tests/fuzzed/credential.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::check(data));
