//! Finds the secrets in a stream of bytes, in any usual spelling, and replaces them.
//!
//! Pure: bytes in, bytes out. It knows no pipes, no time, and of the other modules only
//! [`crate::secret`]. `docs/reference/masking.md` says what is masked and what is not.
//!
//! ```text
//! secret ── policy ── forms ──▶ Needles ──▶ Matcher ══▶ Masker   one per stream
//!           masked at   every     bytes and    built    feed, show_short, switch, finish
//!           all?        spelling  labels       once
//! ```
//!
//! - [`policy`] decides whether a value is masked: not if it is short or an everyday word.
//! - [`forms`] spells it in every form, one file per family of encodings, a table of all of them.
//! - [`needles`] holds the spellings; [`base64_edges`] the characters at their ends that they share with
//!   their neighbours.
//! - [`engine`] searches. [`Matcher`] is what is shared: `scan` finds needles that lie within one
//!   write by looking at every eighth byte or so; `automaton`, a trie over the needles themselves,
//!   with failure links that are found when first needed (`links`), says what must be held back,
//!   finds needles that began in an earlier write, and takes over where a text makes the scan waste
//!   time, which keeps everything linear. `grams` tells quickly where neither needs to look. `shadow`
//!   follows the visible bytes around escape sequences and line breaks (`transparent`).
//!   `occurrences` decides how far a hit reaches, and `output` merges hits and writes.
//!
//! ```
//! use std::sync::Arc;
//!
//! use repovault::mask::{Masker, Masking, Needles, Matcher, Verdict, forms};
//! use repovault::secret::Secret;
//!
//! let mut needles = Needles::new();
//! let secret = Secret::new(b"vQ7x-Zp2mK9rT4wL".to_vec());
//! let verdict = forms::add(&mut needles, "API_KEY", &secret, Masking::Automatic);
//! assert_eq!(verdict, Verdict::Masked);
//!
//! let mut masker = Masker::new(Arc::new(Matcher::new(needles)));
//! let mut out = Vec::new();
//! masker.feed(b"key: vQ7x-Zp2", &mut out);
//! assert_eq!(out, b"key: ");
//! masker.feed(b"mK9rT4wL.\n", &mut out);
//! masker.finish(&mut out);
//! assert_eq!(out, b"key: ***.\n");
//! ```

pub mod base64_edges;
pub mod engine;
pub mod forms;
pub mod needles;
pub mod policy;

pub use engine::{MASK, Masker, Matcher};
pub use needles::{Label, Needles};
pub use policy::{Masking, Verdict};
