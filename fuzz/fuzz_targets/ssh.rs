//! An SSH key from arbitrary text and bytes: `.ci/fuzz 60 ssh`.

#![no_main]

#[path = "../../tests/fuzzed/ssh.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::check(data));
