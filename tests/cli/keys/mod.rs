//! Where keys come from, and where they must not appear.

mod exposure;
mod guarded;
mod sources;
