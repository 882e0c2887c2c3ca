//! The project itself: its layout, documents, examples, and releases.

mod dependencies;
mod examples;
mod first_steps;
mod hosting;
mod language;
mod layout;
mod messages;
mod pipelines;
mod platforms;
mod readme;
mod release;
mod setup;
mod threats;
mod version;
