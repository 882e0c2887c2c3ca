//! The output of git, arbitrary bytes: `.ci/fuzz 60 git`.

#![no_main]

#[path = "../../tests/fuzzed/git.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::check(data));
