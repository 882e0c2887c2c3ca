//! The masking module from outside: cases kept as data, and properties.

mod cases;
mod corpus;
mod fuzzed;
mod masked;
mod properties;
mod random;
mod reference;
mod rules;

#[test]
fn every_case_gives_what_is_expected() {
    for text in [include_str!("cases.json"), include_str!("siblings.json")] {
        let outcome = cases::run(text);
        assert!(outcome.failed.is_empty(), "{}", outcome.failed.join("\n"));
    }
}
