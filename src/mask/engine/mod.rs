//! Bytes in, bytes out, secrets replaced: the search and what it promises.
//!
//! Knows nothing of secrets or their forms, only needles; nor of pipes or time. What holds always:
//! the output depends on the bytes, not on how they were cut into writes; and no byte that could
//! still turn out to belong to a needle is shown, save for the exceptions that are stated at
//! [`Masker::show_short`] and in `transparent_scan`.

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
