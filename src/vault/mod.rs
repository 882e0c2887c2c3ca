//! The vault of one repository: names, model, text, files, trust, and what keys open of it.

pub mod change;
pub mod config;
pub mod families;
pub mod format;
mod halves;
pub mod loss;
pub mod model;
pub mod name;
pub mod past;
pub mod rotation;
pub mod store;
pub mod template;
pub mod trust;
pub mod unlock;
