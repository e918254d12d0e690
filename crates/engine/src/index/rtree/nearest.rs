//! Items by ascending distance. An item that fills its box, as a point does, is as far as its box;
//! any other is a *shape*. Items are queued by a lower bound of their distance, and measured when
//! they come to the front.
//!
//! How equally distant boxes follow each other in Tile38 depends on all that its heap holds by
//! then, so the search prunes only up to the first two of them, then restarts without pruning.
//! Equally distant shapes come in the index's order, whatever is left out.

use std::marker::PhantomData;
use std::ops::ControlFlow;

use arrayvec::ArrayVec;

use super::bounds::Bounds;
use super::horizon::{Horizon, WANTED_MAX};
use super::node::{places, Node, NODE_ENTRIES_MAX};
use super::{Item, Measure, Reach};
use crate::geometry::Rect;

/// Distances nearer to each other than this may change places by rounding.
const APART_MIN: f64 = 1e-6;

/// Where something stands in the index's order: six bits for each level from the top, of which
/// there are fewer than ten, and below them the number of levels.
type Rank = u64;

const LEVEL_BITS: u32 = 6;
const LEVELS_MASK: Rank = 15;
const TOP_SHIFT: u32 = Rank::BITS - LEVEL_BITS;
/// The rank of boxes: behind all shapes of the same distance.
const LAST: Rank = Rank::MAX;

const _: () = assert!(NODE_ENTRIES_MAX <= 1 << LEVEL_BITS);

/// The queue's distance of an item at a position that isn't a number, which comes last. No item is
/// so far away.
const UNKNOWN: f64 = f64::INFINITY;

/// Returns the distance that is told of an item, given the queue's.
fn told(distance: f64) -> f64 {
    if distance == UNKNOWN {
        f64::NAN
    } else {
        distance
    }
}

/// The rank of an entry of a node.
fn rank_below(node: Rank, at: usize) -> Rank {
    let level = (node & LEVELS_MASK) as u32;
    let shift = TOP_SHIFT.saturating_sub(level * LEVEL_BITS);
    (node | (at as Rank) << shift) + 1
}

/// A node or an item in the queue, by distance.
struct Queued<'a, T> {
    distance: f64,
    rank: Rank,
    content: Content<'a, T>,
}

enum Content<'a, T> {
    Node(&'a Node<T>),
    /// An item that fills its box.
    Box(&'a T),
    /// An item of which only a lower bound of the distance is known.
    Unmeasured(&'a T),
    Shape(&'a T),
}

impl<T> Clone for Queued<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Queued<'_, T> {}

impl<T> Clone for Content<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Content<'_, T> {}

/// The order of the queue.
trait Order {
    fn is_after<T>(a: &Queued<T>, b: &Queued<T>) -> bool;
}

/// By distance alone, as in Tile38.
struct ByDistance;

/// By distance, then by rank.
struct ByDistanceAndRank;

impl Order for ByDistance {
    #[inline]
    fn is_after<T>(a: &Queued<T>, b: &Queued<T>) -> bool {
        a.distance > b.distance
    }
}

impl Order for ByDistanceAndRank {
    #[inline]
    fn is_after<T>(a: &Queued<T>, b: &Queued<T>) -> bool {
        a.distance > b.distance || (a.distance == b.distance && a.rank > b.rank)
    }
}

/// A binary heap, the first on top. The standard library's would give the same distances in
/// the same order, but how equal ones follow each other is part of Tile38's results.
struct Heap<'a, T, O>(Vec<Queued<'a, T>>, PhantomData<O>);

impl<'a, T, O: Order> Heap<'a, T, O> {
    fn new() -> Self {
        Heap(Vec::new(), PhantomData)
    }

    fn push(&mut self, distance: f64, rank: Rank, content: Content<'a, T>) {
        let heap = &mut self.0;
        let distance = if distance.is_nan() { UNKNOWN } else { distance };
        let new = Queued { distance, rank, content };
        let mut at = heap.len();
        heap.push(new);
        while at > 0 {
            let parent = (at - 1) / 2;
            if !O::is_after(&heap[parent], &new) {
                break;
            }
            heap[at] = heap[parent];
            at = parent;
        }
        heap[at] = new;
    }

    fn pop(&mut self) -> Option<Queued<'a, T>> {
        let heap = &mut self.0;
        let last = heap.pop()?;
        let Some(first) = heap.first().copied() else { return Some(last) };
        // The last one sinks from the top to where no child comes before it.
        let mut at = 0;
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let mut least = (at, &last);
            for child in [left, right] {
                match heap.get(child) {
                    Some(other) if !O::is_after(other, least.1) => least = (child, other),
                    _ => {}
                }
            }
            let (next, other) = least;
            if next == at {
                heap[at] = last;
                return Some(first);
            }
            heap[at] = *other;
            at = next;
        }
    }

    /// Whether the first is farther away than so much, or the queue is empty.
    fn is_beyond(&self, most: f64) -> bool {
        self.distance() > most
    }

    /// The distance of the first; infinite if the queue is empty.
    fn distance(&self) -> f64 {
        self.0.first().map_or(f64::INFINITY, |first| first.distance)
    }
}

/// An item that a walk returns, with its distance.
struct Found<'a, T> {
    item: &'a T,
    distance: f64,
    is_shape: bool,
}

/// Visits items by ascending distance; see [`super::RTree::nearest`].
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
    let mut walk = Walk::new(root, measure, horizon, true);
    let mut visited = 0;
    // Waits until it is known that the next one is farther away.
    let mut held: Option<Found<T>> = None;
    while let Some(found) = walk.next() {
        if let Some(before) = held.take() {
            let is_apart = found.distance > before.distance + APART_MIN;
            let are_shapes = before.is_shape && found.is_shape;
            if !(is_apart || are_shapes) {
                return visit_all(root, measure, visited, visit);
            }
            visited += 1;
            visit(before.item, before.distance)?;
        }
        if reach.orders_equals && walk.distance() <= found.distance + APART_MIN {
            held = Some(found);
        } else {
            visited += 1;
            visit(found.item, found.distance)?;
        }
    }
    held.map_or(ControlFlow::Continue(()), |last| visit(last.item, last.distance))
}

/// Visits all items but the first few, boxes in the order in which Tile38 would visit them.
fn visit_all<'a, T: Item>(
    root: &'a Node<T>,
    measure: &impl Measure<T>,
    skipped: usize,
    mut visit: impl FnMut(&'a T, f64) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut boxes = BoxWalk::new(root, measure);
    let mut shapes = None;
    let (mut next_box, mut next_shape) = (None, None);
    for count in 0.. {
        next_box = next_box.or_else(|| boxes.next());
        if boxes.has_shapes && shapes.is_none() {
            let horizon = Horizon::new(usize::MAX, f64::INFINITY, Rect::default());
            shapes = Some(Walk::new(root, measure, horizon, false));
        }
        let before = next_box.as_ref().map_or(f64::INFINITY, |found: &Found<T>| found.distance);
        next_shape = next_shape.or_else(|| shapes.as_mut()?.next_within(before));
        let next = if next_shape.as_ref().is_some_and(|found: &Found<T>| found.distance <= before) {
            next_shape.take()
        } else {
            next_box.take()
        };
        let Some(found) = next else { break };
        if count >= skipped {
            visit(found.item, found.distance)?;
        }
    }
    ControlFlow::Continue(())
}

/// A walk over all boxes in Tile38's order; it notes whether it met shapes.
struct BoxWalk<'a, 'm, T, M> {
    measure: &'m M,
    heap: Heap<'a, T, ByDistance>,
    has_shapes: bool,
}

impl<'a, 'm, T: Item, M: Measure<T>> BoxWalk<'a, 'm, T, M> {
    fn new(root: &'a Node<T>, measure: &'m M) -> Self {
        let mut heap = Heap::new();
        heap.push(0.0, 0, Content::Node(root));
        BoxWalk { measure, heap, has_shapes: false }
    }

    fn next(&mut self) -> Option<Found<'a, T>> {
        loop {
            let Queued { distance, content, .. } = self.heap.pop()?;
            match content {
                Content::Node(Node::Leaf(entries)) => {
                    for item in &entries.slots {
                        let Some(bounds) = self.measure.filled_box(item) else {
                            self.has_shapes = true;
                            continue;
                        };
                        self.heap.push(self.measure.distance(&bounds), 0, Content::Box(item));
                    }
                }
                Content::Node(Node::Branch(entries)) => {
                    for (bounds, child) in entries.bounds.iter().zip(&entries.slots) {
                        let distance = self.measure.distance(&bounds.to_rect());
                        self.heap.push(distance, 0, Content::Node(child));
                    }
                }
                Content::Box(item) | Content::Shape(item) | Content::Unmeasured(item) => {
                    return Some(Found { item, distance: told(distance), is_shape: false });
                }
            }
        }
    }
}

/// Items that the first horizon is drawn from, as a multiple of those wanted.
const APPROACHED_SHARE: usize = 2;

/// Returns a distance within which all wanted items lie, by the items of a few leaves near the
/// origin. It lets the search skip most of the entries that it meets.
fn approach<T: Item>(root: &Node<T>, all: Rect, measure: &impl Measure<T>, reach: &Reach) -> f64 {
    let origin = measure.origin();
    let (x, y) = (origin.x as f32, origin.y as f32);
    let mut horizon = Horizon::new(reach.count, reach.distance, all);
    let (mut node, mut siblings) = (root, None);
    while let Node::Branch(entries) = node {
        let gaps = entries.bounds.iter().map(|bounds| bounds.gap(x, y));
        let Some((at, _)) = gaps.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)) else { break };
        node = &entries.slots[at];
        siblings = Some((entries, at));
    }
    let leaf = node.entry_bounds();
    let enough = reach.count * APPROACHED_SHARE;
    let Some((entries, at)) = siblings.filter(|_| leaf.len() < enough) else {
        horizon.meet_nearest(measure, leaf);
        return horizon.distance;
    };
    let others = (0..entries.len()).filter(|other| *other != at);
    let mut nearest: ArrayVec<(f32, usize), NODE_ENTRIES_MAX> =
        others.map(|other| (entries.bounds[other].gap(x, y), other)).collect();
    nearest.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut met = leaf.to_vec();
    for (_, other) in nearest {
        if met.len() >= enough {
            break;
        }
        met.extend_from_slice(entries.slots[other].entry_bounds());
    }
    horizon.meet_nearest(measure, &met);
    horizon.distance
}

/// Items by ascending distance up to the horizon, those of equal distance by rank.
struct Walk<'a, 'm, T, M> {
    measure: &'m M,
    heap: Heap<'a, T, ByDistanceAndRank>,
    horizon: Horizon,
    /// Whether boxes are wanted besides shapes.
    has_boxes: bool,
    near: Vec<(f64, usize)>,
}

impl<'a, 'm, T: Item, M: Measure<T>> Walk<'a, 'm, T, M> {
    fn new(root: &'a Node<T>, measure: &'m M, mut horizon: Horizon, has_boxes: bool) -> Self {
        let mut heap = Heap::new();
        heap.push(0.0, 0, Content::Node(root));
        horizon.draw_window(measure);
        let near = Vec::with_capacity(NODE_ENTRIES_MAX);
        Walk { measure, heap, horizon, has_boxes, near }
    }

    /// No item that is still to come is nearer.
    fn distance(&self) -> f64 {
        self.heap.distance()
    }

    fn next(&mut self) -> Option<Found<'a, T>> {
        self.next_within(f64::INFINITY)
    }

    /// The next item that isn't farther away.
    fn next_within(&mut self, most: f64) -> Option<Found<'a, T>> {
        while !self.heap.is_beyond(most) {
            let Queued { distance, rank, content } = self.heap.pop()?;
            match content {
                Content::Box(item) => {
                    return Some(Found { item, distance: told(distance), is_shape: false })
                }
                Content::Shape(item) => {
                    return Some(Found { item, distance: told(distance), is_shape: true })
                }
                // The horizon came nearer since it was put there.
                _ if distance > self.horizon.distance => {}
                Content::Unmeasured(item) => self.measure(item, rank),
                Content::Node(Node::Leaf(entries)) => {
                    self.open_leaf(&entries.bounds, &entries.slots, rank);
                }
                Content::Node(Node::Branch(entries)) => {
                    for at in places(self.horizon.touching(&entries.bounds)) {
                        let least = self.horizon.least(self.measure, &entries.bounds[at]);
                        if least <= self.horizon.distance {
                            let child = Content::Node(&entries.slots[at]);
                            self.heap.push(least, rank_below(rank, at), child);
                        }
                    }
                }
            }
        }
        None
    }

    fn open_leaf(&mut self, bounds: &[Bounds], items: &'a [T], rank: Rank) {
        self.near.clear();
        for at in places(self.horizon.touching(bounds)) {
            let least = self.horizon.meet(self.measure, &bounds[at]);
            if least <= self.horizon.distance {
                self.near.push((least, at));
            }
        }
        self.horizon.draw_window(self.measure);
        let farthest = self.horizon.distance;
        self.near.retain(|(least, _)| *least <= farthest);
        // Items lie anywhere in memory: with all of them prefetched, the waits for them overlap.
        for (_, at) in &self.near {
            items[*at].prefetch();
        }
        for near in 0..self.near.len() {
            let (least, at) = self.near[near];
            let (item, rank) = (&items[at], rank_below(rank, at));
            if self.horizon.is_selective() {
                self.heap.push(least, rank, Content::Unmeasured(item));
            } else if self.measure.filled_box(item).is_some() {
                self.measure(item, rank); // nothing would be saved by waiting
            } else {
                let least = self.horizon.least(self.measure, &bounds[at]);
                self.heap.push(least, rank, Content::Unmeasured(item));
            }
        }
    }

    /// Computes the distance of an item and queues the item by it.
    fn measure(&mut self, item: &'a T, rank: Rank) {
        if let Some(filled) = self.measure.filled_box(item) {
            if self.has_boxes {
                self.heap.push(self.measure.distance(&filled), LAST, Content::Box(item));
            }
            return;
        }
        let distance = self.measure.shape_distance(item, self.horizon.distance);
        if distance <= self.horizon.distance {
            self.horizon.meet_measured(distance, 2.0 * APART_MIN);
            self.heap.push(distance, rank, Content::Shape(item));
        }
    }
}
