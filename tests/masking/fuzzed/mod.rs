//! What the fuzz targets check.

pub(crate) mod engine;
pub(crate) mod forms;
