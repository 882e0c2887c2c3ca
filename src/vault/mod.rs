//! The vault of one repository: names, model, text, files, trust, and what keys open of it.

pub mod config;
pub mod families;
pub mod format;
pub mod history;
pub mod holder;
pub mod loss;
pub mod model;
pub mod name;
mod parallel;
pub mod regained;
pub mod rotation;
pub mod signing;
pub mod store;
pub mod template;
pub mod trust;
pub mod unlock;
