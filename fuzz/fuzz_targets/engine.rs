//! The masking engine on arbitrary needles, text and cuts: `cargo +nightly fuzz run engine`.

#![no_main]

#[path = "../../tests/masking/fuzzed/engine.rs"]
mod fuzzed;
#[path = "../../tests/masking/masked.rs"]
mod masked;
#[path = "../../tests/masking/reference.rs"]
mod reference;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::check(data));
