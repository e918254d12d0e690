//! Reading by area, and the items at the edges; by distance, see [`super::nearest`].

use std::ops::ControlFlow;

use super::bounds::Bounds;
use super::node::Node;
use super::Item;

/// What a search looks for.
pub(super) trait Region {
    /// The greatest x.
    fn right(&self) -> f32;

    /// Whether a box touches it.
    fn touches(&self, bounds: &Bounds) -> bool;
}

impl Region for Bounds {
    fn right(&self) -> f32 {
        self.max(0)
    }

    #[inline]
    fn touches(&self, bounds: &Bounds) -> bool {
        bounds.overlaps(self)
    }
}

/// Any of a few boxes.
impl Region for [Bounds] {
    fn right(&self) -> f32 {
        // One that isn't a number restricts nothing.
        let greater = |a: f32, b: f32| if a.is_nan() || b <= a { a } else { b };
        self.iter().map(|bounds| bounds.max(0)).fold(f32::NEG_INFINITY, greater)
    }

    #[inline]
    fn touches(&self, bounds: &Bounds) -> bool {
        self.iter().fold(false, |touches, area| touches | bounds.overlaps(area))
    }
}

/// Visits the items whose boxes touch the region, depth first in entry order.
pub(super) fn search<'a, T: Item>(
    node: &'a Node<T>,
    region: &(impl Region + ?Sized),
    visit: &mut impl FnMut(&'a T) -> ControlFlow<()>,
) -> ControlFlow<()> {
    match node {
        Node::Leaf(entries) => {
            let end = entries.count_up_to(region.right());
            for (bounds, item) in entries.bounds[..end].iter().zip(&entries.slots) {
                if region.touches(bounds) {
                    visit(item)?;
                }
            }
        }
        Node::Branch(entries) => {
            let end = entries.count_up_to(region.right());
            for (bounds, child) in entries.bounds[..end].iter().zip(&entries.slots) {
                if region.touches(bounds) {
                    search(child, region, visit)?;
                }
            }
        }
    }
    ControlFlow::Continue(())
}

/// Visits all items below, in entry order.
pub(super) fn visit_all<'a, T: Item>(
    node: &'a Node<T>,
    visit: &mut impl FnMut(&'a T) -> ControlFlow<()>,
) -> ControlFlow<()> {
    match node {
        Node::Leaf(entries) => entries.slots.iter().try_for_each(visit),
        Node::Branch(entries) => entries.slots.iter().try_for_each(|child| visit_all(child, visit)),
    }
}

/// The first item, in entry order, whose box has this edge where the root has it. Every branch
/// rests on a child at each edge, so there is no going back.
pub(super) fn first_at<T: Item>(root: &Node<T>, edge: fn(&Bounds) -> f32) -> Option<&T> {
    let bounds = Bounds::around(root.entry_bounds())?;
    let mut node = root;
    loop {
        let at = node.entry_bounds().iter().position(|entry| edge(entry) == edge(&bounds))?;
        match node {
            Node::Leaf(entries) => return entries.slots.get(at),
            Node::Branch(entries) => node = entries.slots.get(at)?,
        }
    }
}
