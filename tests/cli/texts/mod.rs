//! Everything that people read, in files below `tests/snapshots`: help, tables, reports, JSON, and
//! each error and hint that no other test shows.

mod errors;
mod help;
mod json;
mod results;
