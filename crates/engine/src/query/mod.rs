//! What searches understand: options, areas, filters, expressions; and the results they give.

pub mod area;
pub mod expression;
pub mod field_path;
pub mod filter;
pub mod options;
pub mod rows;
pub mod scope;
