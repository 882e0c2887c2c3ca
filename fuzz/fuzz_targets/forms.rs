//! The forms of arbitrary secrets: `.ci/fuzz 60 forms`.

#![no_main]

#[path = "../../tests/masking/fuzzed/forms.rs"]
mod fuzzed;
#[path = "../../tests/masking/masked.rs"]
mod masked;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::check(data));
