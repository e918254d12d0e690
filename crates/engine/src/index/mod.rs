//! The B-tree of ids and the R-tree of boxes, with copy-on-write nodes.

mod btree;
mod capacity;
mod prefetch;
mod rtree;

pub use btree::{BTree, Keyed, LeafAhead, Walk};
pub use prefetch::prefetch;
pub use rtree::{Item, Measure, RTree, Reach};
