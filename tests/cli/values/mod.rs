//! Values: set, imported, prompted for, generated, removed.

mod bytes;
mod conversions;
mod generated;
mod history;
mod import;
mod input;
mod plaintext;
mod prompts;
mod removed_names;
mod repeated;
