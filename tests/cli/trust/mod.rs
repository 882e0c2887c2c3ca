//! Trust in a vault, and attacks on it.

mod attacks;
mod introduction;
mod moved;
mod people;
mod people_and_ids;
mod planted;
mod state;
mod unpushed;
mod weak_recipients;
mod whole_vault;
