//! Reading: by area, by distance, and the items at the edges. Changes nothing.

use std::ops::ControlFlow;

use triomphe::Arc;

use super::bounds::Bounds;
use super::node::{Node, NODE_ENTRIES_MAX};
use super::Item;
use crate::geometry::Rect;

/// Visits the items whose boxes touch the area, depth first in entry order.
pub(super) fn search<'a, T: Item>(
    node: &'a Node<T>,
    area: &Bounds,
    visit: &mut impl FnMut(&'a T) -> ControlFlow<()>,
) -> ControlFlow<()> {
    match node {
        Node::Leaf(entries) => {
            let end = entries.count_up_to(area.max[0]);
            for (bounds, item) in entries.bounds[..end].iter().zip(&entries.slots) {
                if bounds.overlaps(area) {
                    visit(item)?;
                }
            }
        }
        Node::Branch(entries) => {
            let end = entries.count_up_to(area.max[0]);
            for (bounds, child) in entries.bounds[..end].iter().zip(&entries.slots) {
                if bounds.overlaps(area) {
                    search(child, area, visit)?;
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

/// A node or item that waits for its turn, by distance.
struct Waiting<'a, T> {
    distance: f64,
    what: What<'a, T>,
}

enum What<'a, T> {
    Node(&'a Node<T>),
    Item(&'a T),
}

/// A binary heap, least distance first. The standard library's would give the same distances in
/// the same order, but how equal ones follow each other is part of Tile38's results.
struct Heap<'a, T>(Vec<Waiting<'a, T>>);

impl<'a, T> Heap<'a, T> {
    fn push(&mut self, distance: f64, what: What<'a, T>) {
        let heap = &mut self.0;
        let mut at = heap.len();
        heap.push(Waiting { distance, what });
        while at > 0 {
            let parent = (at - 1) / 2;
            if heap[parent].distance > heap[at].distance {
                heap.swap(parent, at);
                at = parent;
            } else {
                break;
            }
        }
    }

    fn pop(&mut self) -> Option<Waiting<'a, T>> {
        if self.0.is_empty() {
            return None;
        }
        let first = self.0.swap_remove(0);
        let heap = &mut self.0;
        let mut at = 0;
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let mut least = at;
            for child in [left, right] {
                if child < heap.len() && heap[child].distance <= heap[least].distance {
                    least = child;
                }
            }
            if least == at {
                return Some(first);
            }
            heap.swap(at, least);
            at = least;
        }
    }
}

/// Visits all items by ascending distance; the distance of a node's box must not exceed that of
/// any item in it.
pub(super) fn nearest<'a, T: Item>(
    root: &'a Arc<Node<T>>,
    mut distance: impl FnMut(&Rect) -> f64,
    mut exact_bounds: impl FnMut(&'a T) -> Rect,
    mut visit: impl FnMut(&'a T, f64) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut heap = Heap(Vec::new());
    let mut exact = Vec::with_capacity(NODE_ENTRIES_MAX);
    heap.push(0.0, What::Node(root));
    while let Some(next) = heap.pop() {
        match next.what {
            What::Item(item) => visit(item, next.distance)?,
            What::Node(Node::Leaf(entries)) => {
                // Items lie anywhere in memory: to fetch all of them before the first distance is
                // computed lets the processor wait for many at a time.
                exact.clear();
                exact.extend(entries.slots.iter().map(&mut exact_bounds));
                for (bounds, item) in exact.iter().zip(&entries.slots) {
                    heap.push(distance(bounds), What::Item(item));
                }
            }
            What::Node(Node::Branch(entries)) => {
                for (bounds, child) in entries.bounds.iter().zip(&entries.slots) {
                    heap.push(distance(&bounds.to_rect()), What::Node(child));
                }
            }
        }
    }
    ControlFlow::Continue(())
}
