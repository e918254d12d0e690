//! A tree of boxes over the segments of a long chain, in the chain's own order.
//!
//! Neighbouring segments lie near each other, so no sorting is needed, and a search yields
//! segments by ascending index, as going through all of them would.

use super::{Point, Rect};
use std::ops::Range;

/// Segments under one leaf.
const LEAF_SEGMENTS: usize = 16;
/// Children of an inner node.
const FAN_OUT: usize = 8;

/// A node, its descendants right behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Node {
    bounds: Rect,
    /// Where the next node that isn't a descendant stands.
    next: u32,
    /// The first segment below.
    first: u32,
}

/// The nodes in the order of a walk.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SegmentTree {
    nodes: Box<[Node]>,
    segments: u32,
}

impl SegmentTree {
    /// A tree over the segments between consecutive points; `None` if they are too many to number.
    pub(super) fn new(points: &[Point]) -> Option<Self> {
        let segments = u32::try_from(points.len().saturating_sub(1)).ok()?;
        let mut nodes = Vec::with_capacity(points.len() / LEAF_SEGMENTS * 5 / 4 + 1);
        build(points, 0..segments as usize, &mut nodes);
        Some(SegmentTree { nodes: nodes.into(), segments })
    }

    /// Runs of segments whose leaf, and all above it, `keep` accepts.
    pub(super) fn runs<K: Fn(&Rect) -> bool>(&self, keep: K) -> Runs<'_, K> {
        Runs { tree: self, at: 0, keep }
    }
}

/// Adds the node of a range of segments and all below it; answers its box.
fn build(points: &[Point], range: Range<usize>, nodes: &mut Vec<Node>) -> Rect {
    let place = nodes.len();
    let mut bounds = Rect::around(&points[range.start..=range.end]);
    nodes.push(Node { bounds, next: 0, first: range.start as u32 });
    if range.len() > LEAF_SEGMENTS {
        let mut step = LEAF_SEGMENTS;
        while step * FAN_OUT < range.len() {
            step *= FAN_OUT;
        }
        for start in range.clone().step_by(step) {
            let child = build(points, start..range.end.min(start + step), nodes);
            bounds = bounds.union(&child);
        }
    }
    nodes[place].next = nodes.len() as u32;
    bounds
}

/// See [`SegmentTree::runs`].
pub(super) struct Runs<'a, K> {
    tree: &'a SegmentTree,
    at: usize,
    keep: K,
}

impl<K: Fn(&Rect) -> bool> Iterator for Runs<'_, K> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        while let Some(node) = self.tree.nodes.get(self.at) {
            if !(self.keep)(&node.bounds) {
                self.at = node.next as usize;
                continue;
            }
            self.at += 1;
            if node.next as usize == self.at {
                let following = self.tree.nodes.get(self.at);
                let end = following.map_or(self.tree.segments, |following| following.first);
                return Some(node.first as usize..end as usize);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zigzag(count: usize) -> Vec<Point> {
        (0..count).map(|i| Point::new(i as f64, ((i * 7) % 5) as f64)).collect()
    }

    #[test]
    fn a_walk_that_keeps_all_sees_each_segment_once_and_in_order() {
        for count in [2, 17, 18, 64, 129, 130, 1000, 5000] {
            let points = zigzag(count);
            let tree = SegmentTree::new(&points).unwrap();
            let seen: Vec<usize> = tree.runs(|_| true).flatten().collect();
            assert_eq!(seen, (0..count - 1).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_narrow_search_visits_few_segments() {
        let points = zigzag(100_000);
        let tree = SegmentTree::new(&points).unwrap();
        let probe = Rect::new(Point::new(777.2, 0.0), Point::new(777.3, 9.0));
        let seen: Vec<usize> = tree.runs(|bounds| bounds.overlaps(&probe)).flatten().collect();
        assert!(seen.contains(&777) && seen.len() <= 32, "{seen:?}");
    }
}
