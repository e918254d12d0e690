//! Reading: by area, by distance, and the items at the edges. Changes nothing.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

use super::bounds::Bounds;
use super::node::{Node, NODE_ENTRIES_MAX};
use super::{Item, Measure, Reach};
use crate::geometry::Rect;

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

/// Either of two boxes.
impl Region for [Bounds; 2] {
    fn right(&self) -> f32 {
        self[0].max(0).max(self[1].max(0))
    }

    #[inline]
    fn touches(&self, bounds: &Bounds) -> bool {
        bounds.overlaps(&self[0]) | bounds.overlaps(&self[1])
    }
}

/// Visits the items whose boxes touch the region, depth first in entry order.
pub(super) fn search<'a, T: Item>(
    node: &'a Node<T>,
    region: &impl Region,
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

/// Up to how many wanted items it pays to keep the least distances.
const WANTED_MAX: usize = 1000;

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

/// Beyond which distance nothing can be visited any more: it shrinks while items are met, of
/// which only the most is known that they may be away.
struct Horizon {
    distance: f64,
    wanted: usize,
    /// The least of those distances so far, the largest of them on top.
    least: BinaryHeap<Finite>,
    window: Window,
}

/// A box around all that is within the horizon, or was when it was drawn: most boxes beyond it are
/// told by four comparisons.
struct Window {
    bounds: Option<Bounds>,
    distance: f64,
    /// Around everything in the tree.
    all: Rect,
}

/// A horizon that came nearer by less than this leaves the window as it is.
const REDRAWN_FROM: f64 = 0.9;

/// A distance that isn't NaN.
struct Finite(f64);

impl PartialEq for Finite {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Finite {}

impl PartialOrd for Finite {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Finite {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Horizon {
    fn new(wanted: usize, distance: f64, all: Rect) -> Self {
        let window = Window { bounds: None, distance: f64::INFINITY, all };
        Horizon { distance, wanted, least: BinaryHeap::new(), window }
    }

    /// Whether a box is known to be beyond, at hardly any cost.
    #[inline]
    fn excludes(&self, bounds: &Bounds) -> bool {
        self.window.bounds.is_some_and(|window| !window.overlaps(bounds))
    }

    /// Fits the window to the horizon.
    fn draw_window<T>(&mut self, measure: &impl Measure<T>) {
        let window = &mut self.window;
        if self.distance < window.distance * REDRAWN_FROM {
            let rect = measure.window(&window.all, self.distance);
            window.bounds = rect.map(|rect| Bounds::of_area(&rect));
            window.distance = self.distance;
        }
    }

    /// Takes the box of an item into account; how far the item is away at least.
    fn meet<T>(&mut self, measure: &impl Measure<T>, bounds: &Bounds) -> f64 {
        if self.wanted > WANTED_MAX && self.distance == f64::INFINITY {
            return f64::NEG_INFINITY; // nothing is beyond
        }
        let between = measure.between(&bounds.to_rect());
        if self.wanted <= WANTED_MAX && between.most < self.distance && !bounds.may_hide_nan() {
            self.least.push(Finite(between.most));
            if self.least.len() > self.wanted {
                self.least.pop();
            }
            if self.least.len() == self.wanted {
                if let Some(Finite(farthest)) = self.least.peek() {
                    self.distance = self.distance.min(*farthest);
                }
            }
        }
        between.least
    }
}

/// Distances nearer to each other than this may change places by rounding.
const APART_MIN: f64 = 1e-6;

/// Visits items by ascending distance; see [`super::RTree::nearest`].
///
/// How equal ones follow each other depends on all that Tile38's heap holds by then. So what is
/// left out only goes unnoticed up to the first two of them; from there on nothing is left out.
pub(super) fn nearest<'a, T: Item>(
    root: &'a Node<T>,
    all: &Bounds,
    measure: &impl Measure<T>,
    reach: &Reach,
    mut visit: impl FnMut(&'a T, f64) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let all = all.to_rect();
    let horizon = if reach.count <= WANTED_MAX {
        Horizon::new(reach.count, approach(root, all, measure, reach), all)
    } else {
        Horizon::new(usize::MAX, reach.distance, all)
    };
    let (mut visited, mut are_apart) = (0, true);
    // Waits until it is known that the next one is farther away.
    let mut last: Option<(&T, f64)> = None;
    let flow = walk(root, measure, horizon, &mut |item, distance| {
        if let Some((before, nearer)) = last.replace((item, distance)) {
            are_apart = !reach.orders_equals || distance > nearer + APART_MIN;
            if !are_apart {
                return ControlFlow::Break(());
            }
            visited += 1;
            visit(before, nearer)?;
        }
        ControlFlow::Continue(())
    });
    if are_apart {
        flow?;
        return last.map_or(ControlFlow::Continue(()), |(item, distance)| visit(item, distance));
    }
    walk_all(root, measure, &mut |item, distance| {
        if visited > 0 {
            visited -= 1;
            return ControlFlow::Continue(());
        }
        visit(item, distance)
    })
}

/// Measures all that it meets, in Tile38's order.
fn walk_all<'a, T: Item>(
    root: &'a Node<T>,
    measure: &impl Measure<T>,
    visit: &mut impl FnMut(&'a T, f64) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut heap = Heap(Vec::new());
    heap.push(0.0, What::Node(root));
    while let Some(next) = heap.pop() {
        match next.what {
            What::Item(item) => visit(item, next.distance)?,
            What::Node(Node::Leaf(entries)) => {
                for item in &entries.slots {
                    heap.push(measure.distance(&measure.bounds(item)), What::Item(item));
                }
            }
            What::Node(Node::Branch(entries)) => {
                for (bounds, child) in entries.bounds.iter().zip(&entries.slots) {
                    heap.push(measure.distance(&bounds.to_rect()), What::Node(child));
                }
            }
        }
    }
    ControlFlow::Continue(())
}

/// A distance within which all that is wanted lies: goes straight down to a leaf near the
/// beginning, so that the search proper leaves out most of what it meets.
fn approach<T: Item>(root: &Node<T>, all: Rect, measure: &impl Measure<T>, reach: &Reach) -> f64 {
    let origin = measure.origin();
    let (x, y) = (origin.x as f32, origin.y as f32);
    let mut horizon = Horizon::new(reach.count, reach.distance, all);
    let mut node = root;
    while let Node::Branch(entries) = node {
        let gaps = entries.bounds.iter().map(|bounds| bounds.gap(x, y));
        let Some((at, _)) = gaps.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)) else { break };
        node = &entries.slots[at];
    }
    let bounds = node.entry_bounds();
    if bounds.len() >= reach.count {
        for bounds in bounds {
            horizon.meet(measure, bounds);
        }
    }
    horizon.distance
}

fn walk<'a, T: Item>(
    root: &'a Node<T>,
    measure: &impl Measure<T>,
    mut horizon: Horizon,
    visit: &mut impl FnMut(&'a T, f64) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut heap = Heap(Vec::new());
    let mut near = Vec::with_capacity(NODE_ENTRIES_MAX);
    let mut boxes = Vec::with_capacity(NODE_ENTRIES_MAX);
    heap.push(0.0, What::Node(root));
    horizon.draw_window(measure);
    while let Some(next) = heap.pop() {
        match next.what {
            What::Item(item) => visit(item, next.distance)?,
            // The horizon came nearer since it was put there.
            What::Node(_) if next.distance > horizon.distance => {}
            What::Node(Node::Leaf(entries)) => {
                near.clear();
                for (bounds, item) in entries.bounds.iter().zip(&entries.slots) {
                    if horizon.excludes(bounds) {
                        continue;
                    }
                    let least = horizon.meet(measure, bounds);
                    if least <= horizon.distance {
                        near.push((least, item));
                    }
                }
                horizon.draw_window(measure);
                near.retain(|(least, _)| *least <= horizon.distance);
                // Items lie anywhere in memory: to fetch them before the first distance is
                // computed lets the processor wait for many at a time.
                boxes.clear();
                boxes.extend(near.iter().map(|(_, item)| measure.bounds(item)));
                for (bounds, (_, item)) in boxes.iter().zip(&near) {
                    heap.push(measure.distance(bounds), What::Item(item));
                }
            }
            What::Node(Node::Branch(entries)) => {
                for (bounds, child) in entries.bounds.iter().zip(&entries.slots) {
                    if horizon.excludes(bounds) {
                        continue;
                    }
                    let least = measure.between(&bounds.to_rect()).least;
                    if least <= horizon.distance {
                        heap.push(least, What::Node(child));
                    }
                }
            }
        }
    }
    ControlFlow::Continue(())
}
