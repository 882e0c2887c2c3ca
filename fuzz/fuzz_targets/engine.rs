//! The masking engine with arbitrary needles, text, and cuts: `.ci/fuzz 60 engine`.

#![no_main]

#[path = "../../tests/masking/fuzzed/engine.rs"]
mod fuzzed;
#[path = "../../tests/masking/masked.rs"]
mod masked;
#[path = "../../tests/masking/reference.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod reference;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::check(data));
