//! What a search asks: expressions over objects.

pub mod expression;
