//! The masking module through its public interface: cases from data files, and properties.

mod cases;
mod corpus;
mod fuzzed;
mod masked;
mod properties;
mod random;
mod reference;
mod rules;

#[test]
fn cases_from_data_files_pass() {
    for text in [include_str!("cases.json"), include_str!("siblings.json")] {
        let outcome = cases::run(text);
        assert!(outcome.failed.is_empty(), "{}", outcome.failed.join("\n"));
    }
}
