//! The checks of the fuzz targets.

pub(crate) mod engine;
pub(crate) mod forms;
