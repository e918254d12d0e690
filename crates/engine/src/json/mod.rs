//! JSON as bytes: validation, walking without a tree, escaping, paths.

pub mod escape;
pub mod path;
pub mod scan;

pub use escape::{write_full, write_short};
pub use scan::{is_valid, minify, Kind, Value, DEPTH_MAX};
