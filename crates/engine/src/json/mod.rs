//! JSON as bytes: validation, reading in place, writing, and paths.

pub mod escape;
pub mod path;
pub mod scan;

pub use escape::{write_base64, write_full, write_list, write_short};
pub use scan::{is_valid, last_member, minify, Kind, Value, DEPTH_MAX};
