//! The grammar of searches (options, areas, filters, expressions), and their results.

pub mod area;
pub mod distances;
pub mod expression;
pub mod field_path;
pub mod filter;
pub mod options;
pub mod rows;
pub mod scope;
pub mod tile_area;
pub mod zone_options;
