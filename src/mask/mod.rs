//! Finds the secrets in a stream of bytes, in every usual spelling, and replaces them.
//!
//! Pure: bytes in, bytes out. It does not know pipes or time and, of the other modules, only
//! [`crate::secret`]. `docs/reference/masking.md` states the rules.
//!
//! ```text
//! secret ── policy ── forms ──▶ Needles ──▶ Matcher ══▶ Masker     one per stream
//!           masked at   every     bytes and    built      feed, show_short,
//!           all?        spelling  labels       once       replace_matcher, finish
//! ```
//!
//! - [`policy`] decides whether a value is masked: not if it is short or a common word.
//! - [`forms`] spells it in every form. It has a file per family of encodings, and a catalog.
//! - [`needles`] holds the spellings, and [`base64_edges`] the characters at their ends that they
//!   share with their neighbors.
//! - [`engine`] searches. A [`Matcher`] is shared by the streams, and a [`Masker`] belongs to one.
//!   - `scan` finds needles that lie within one write. It looks at about every eighth byte.
//!   - `automaton` is a trie of the needles, and `links` has its failure links, computed when they
//!     are first needed. It decides which bytes are held back, and finds needles that began in an
//!     earlier write. If a text makes the scan slow, it takes over, so all texts take linear time.
//!   - `grams` shows quickly which bytes neither of them needs to read.
//!   - `transparent_scan` follows the visible bytes around escape sequences and line breaks, which
//!     `byte_kind` recognizes.
//!   - `occurrences` decides how far an occurrence reaches. `output` merges and writes.
//!
//! ```
//! use std::sync::Arc;
//!
//! use repovault::mask::{Masker, Masking, Matcher, Needles, Verdict, forms};
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
