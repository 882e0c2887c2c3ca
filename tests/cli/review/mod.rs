//! `verify`, with and without `--since`.

mod formats;
mod keys;
mod members;
mod merges;
mod pull_request;
mod root;
mod rotations;
mod since;
mod since_bytes;
mod since_names;
