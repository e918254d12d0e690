//! `GeoJSON` text: reading it into a geometry, and the one canonical text a geometry prints as.

mod document;
mod parse;
mod positions;
mod print;

pub use parse::{GeometryError, ParseOptions};
