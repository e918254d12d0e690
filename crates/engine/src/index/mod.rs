//! The B-tree of ids and the R-tree of boxes, with copy-on-write nodes.

mod btree;
mod capacity;
mod rtree;

pub use btree::{BTree, Keyed, Walk};
pub use rtree::{Item, Measure, RTree, Reach};
