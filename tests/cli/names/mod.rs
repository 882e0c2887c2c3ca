//! Names and selections that a person types.

mod hints;
mod invalid;
mod proxies;
mod refused_names;
mod selection;
mod vault_search;
