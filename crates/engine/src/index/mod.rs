//! The R-tree of boxes, with copy-on-write nodes.

mod rtree;

pub use rtree::{Item, RTree};
