//! Trust in a vault, and attacks on it.

mod attacks;
mod first_trust;
mod former_member_attacks;
mod moved_content;
mod replaced_ids;
mod replaced_vault;
mod state;
mod terminal_questions;
mod unpushed;
mod weak_recipients;
