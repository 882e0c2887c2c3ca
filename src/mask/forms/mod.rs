//! The forms of a secret: the ways in which it can appear in the output of a program.
//!
//! Knows the encodings, but not how needles are found. Its invariant: a secret of one line has at
//! most [`MOST_NEEDLES`] needles, all of them different.

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
