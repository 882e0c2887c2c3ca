//! The masking engine on arbitrary needles, text and cuts: `.ci/fuzz 60 engine`.

#![no_main]

#[path = "../../tests/masking/fuzzed/engine.rs"]
mod fuzzed;
#[path = "../../tests/masking/masked.rs"]
mod masked;
#[path = "../../tests/masking/reference.rs"]
#[expect(dead_code, reason = "the tests ask it for more")]
mod reference;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::check(data));
