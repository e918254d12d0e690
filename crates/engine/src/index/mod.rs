//! The R-tree of boxes and the B-tree of keys, both with copy-on-write nodes.

mod btree;
mod rtree;

pub use btree::{BTree, Keyed};
pub use rtree::{Item, RTree};
