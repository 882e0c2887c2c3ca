//! Everything that people read, in files below `tests/snapshots`: help, tables, reports, JSON, and
//! each error and hint that no other test shows.

mod damage;
mod errors;
mod help;
mod input;
mod json;
mod machines;
mod questions;
mod results;
mod reviews;
mod ssh;
