//! Finds and replaces secrets in a stream of bytes.

pub mod edges;
pub mod engine;
pub mod forms;
pub mod needles;
pub mod policy;

pub use engine::{MASK, Masker, Tables};
pub use needles::{Label, Needles};
pub use policy::{Masking, Verdict};
