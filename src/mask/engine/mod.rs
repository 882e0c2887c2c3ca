//! The search: bytes go in, and come out with every needle replaced.
//!
//! Knows needles, but not secrets, forms, pipes, or time. Its invariants: the output depends on the
//! bytes, not on how they were split into writes. And no byte is shown that may still turn out to
//! belong to a needle, with the exceptions stated at [`Masker::show_short`] and in
//! `transparent_scan`.

mod automaton;
mod byte_kind;
mod cursor;
mod edge_map;
mod grams;
mod links;
mod lookbehind;
mod masker;
mod matcher;
mod occurrences;
mod output;
mod rarity;
mod scan;
mod text;
mod transparent_scan;

pub use masker::Masker;
pub use matcher::Matcher;
pub use output::MASK;
