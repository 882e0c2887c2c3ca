//! `verify`, with and without `--since`.

mod formats;
mod members;
mod pull_request;
mod rotations;
mod since;
mod since_bytes;
mod since_names;
