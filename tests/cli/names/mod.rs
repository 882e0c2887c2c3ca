//! Names and selections that a person types.

mod find;
mod hints;
mod invalid;
mod proxies;
mod refused_names;
mod selection;
