//! The R-tree of boxes, with copy-on-write nodes.
