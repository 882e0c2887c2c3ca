//! Trust in a vault, and attacks on it.

mod attacks;
mod first_trust;
mod former_member_attacks;
mod going_back;
mod member_files;
mod moved_content;
mod pins;
mod replaced_ids;
mod replaced_vault;
mod second_recipients;
mod state;
mod terminal_questions;
mod unpushed;
mod weak_recipients;
