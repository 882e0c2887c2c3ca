//! A dotenv file from arbitrary bytes: `.ci/fuzz 60 dotenv`.

#![no_main]

#[path = "../../tests/fuzzed/dotenv.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::check(data));
