//! The B-tree of ids and the R-tree of boxes. Their nodes are copied on write, so that a clone is a
//! snapshot.

mod btree;
mod capacity;
mod prefetch;
mod rtree;

pub use btree::{BTree, Iter, Keyed, PrefetchedLeaf};
pub use prefetch::prefetch;
pub use rtree::{AreaParts, Item, Measure, RTree, Reach, Side, Tally, Visitor};
