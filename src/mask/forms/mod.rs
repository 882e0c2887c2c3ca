//! From a secret to everything it may look like in the output of a program.
//!
//! Knows the encodings, and nothing of how needles are found. What holds always: a single-line
//! secret gives at most [`MOST_NEEDLES`] needles, and none of them twice.

mod base64;
mod bytes;
mod catalog;
mod escape;
mod json;
mod literals;
mod markup;
mod parts;
mod percent;
mod secret_forms;
mod shell;

pub use secret_forms::{MOST_NEEDLES, add};
