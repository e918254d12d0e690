//! A tree of boxes over many items that keeps the items' own order: over the segments of a long
//! chain, which lie near each other as they come, or over items that their caller has sorted.
//!
//! A search yields items by ascending index, as going through all of them would.

use super::{Point, Rect};
use std::ops::Range;

/// Items under one leaf.
pub(super) const LEAF_ITEMS: usize = 16;
/// Children of an inner node, at most.
pub(super) const FAN_OUT: usize = 8;

/// A node, its descendants right behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Node {
    bounds: Rect,
    /// Where the next node that isn't a descendant stands.
    next: u32,
    /// The first item below.
    first: u32,
}

/// The nodes in the order of a walk.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BoxTree {
    nodes: Box<[Node]>,
    items: u32,
}

impl BoxTree {
    /// A tree over the segments between consecutive points; `None` if they are too many to number.
    pub(super) fn over_segments(points: &[Point]) -> Option<Self> {
        let bounds = |run: Range<usize>| Rect::around(&points[run.start..=run.end]);
        Self::new(points.len().saturating_sub(1), bounds)
    }

    /// A tree over items, given the box of a run of them.
    pub(super) fn new(items: usize, bounds: impl Fn(Range<usize>) -> Rect) -> Option<Self> {
        let items = u32::try_from(items).ok()?;
        let mut nodes = Vec::with_capacity(items as usize / LEAF_ITEMS * 5 / 4 + 1);
        if items > 0 {
            build(&bounds, 0..items as usize, &mut nodes);
        }
        Some(BoxTree { nodes: nodes.into(), items })
    }

    /// The node above all others; `None` if there are no items.
    pub(super) fn root(&self) -> Option<usize> {
        (!self.nodes.is_empty()).then_some(0)
    }

    /// The box around all below a node.
    pub(super) fn bounds(&self, node: usize) -> &Rect {
        &self.nodes[node].bounds
    }

    /// The nodes right below one; none below a leaf.
    pub(super) fn children(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.nodes[node].next as usize;
        let first = (node + 1 < end).then_some(node + 1);
        std::iter::successors(first, move |child| {
            let next = self.nodes[*child].next as usize;
            (next < end).then_some(next)
        })
    }

    /// The items below a leaf.
    pub(super) fn run(&self, leaf: usize) -> Range<usize> {
        let following = self.nodes.get(leaf + 1);
        let end = following.map_or(self.items, |following| following.first);
        self.nodes[leaf].first as usize..end as usize
    }

    /// Runs of items whose leaf, and all above it, `keep` accepts.
    pub(super) fn runs<K: Fn(&Rect) -> bool>(&self, keep: K) -> Runs<'_, K> {
        Runs { tree: self, at: 0, keep }
    }
}

/// Adds the node of a run of items and all below it; answers its box.
fn build(bounds: &impl Fn(Range<usize>) -> Rect, run: Range<usize>, nodes: &mut Vec<Node>) -> Rect {
    let place = nodes.len();
    nodes.push(Node { bounds: Rect::default(), next: 0, first: run.start as u32 });
    let whole = if run.len() <= LEAF_ITEMS {
        bounds(run)
    } else {
        let mut step = LEAF_ITEMS;
        while step * FAN_OUT < run.len() {
            step *= FAN_OUT;
        }
        let mut whole = build(bounds, run.start..run.start + step, nodes);
        for start in (run.start + step..run.end).step_by(step) {
            whole = whole.union(&build(bounds, start..run.end.min(start + step), nodes));
        }
        whole
    };
    nodes[place].bounds = whole;
    nodes[place].next = nodes.len() as u32;
    whole
}

/// See [`BoxTree::runs`].
pub(super) struct Runs<'a, K> {
    tree: &'a BoxTree,
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
                return Some(self.tree.run(self.at - 1));
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
            let tree = BoxTree::over_segments(&points).unwrap();
            let seen: Vec<usize> = tree.runs(|_| true).flatten().collect();
            assert_eq!(seen, (0..count - 1).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_narrow_search_visits_few_segments() {
        let points = zigzag(100_000);
        let tree = BoxTree::over_segments(&points).unwrap();
        let probe = Rect::new(Point::new(777.2, 0.0), Point::new(777.3, 9.0));
        let seen: Vec<usize> = tree.runs(|bounds| bounds.overlaps(&probe)).flatten().collect();
        assert!(seen.contains(&777) && seen.len() <= 32, "{seen:?}");
    }
}
