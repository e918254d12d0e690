//! Items by ascending distance. An item that fills its box, as a point does, is as far as its box;
//! any other is a *shape*. Items are queued by a lower bound of their distance, and measured when
//! they come to the front. If few items are wanted, all that may be among them are gathered first:
//! then the queue holds no nodes.
//!
//! How equally distant boxes follow each other in Tile38 depends on all that its heap holds by
//! then, so the search prunes only up to the first two of them, then restarts without pruning.
//! Equally distant shapes come in the index's order, whatever is left out.

use std::ops::ControlFlow;

use super::bounds::Bounds;
use super::horizon::{approach, Horizon, WANTED_MAX};
use super::node::{places, Node, NODE_ENTRIES_MAX};
use super::queue::{
    rank_below, ByDistance, ByDistanceAndRank, Content, Heap, Queued, Rank, LAST, UNKNOWN,
};
use super::{Item, Measure, Reach};
use crate::geometry::distance::Between;
use crate::geometry::Rect;

/// Distances nearer to each other than this may change places by rounding.
const APART_MIN: f64 = 1e-6;

/// Returns the distance that is told of an item, given the queue's.
fn told(distance: f64) -> f64 {
    if distance == UNKNOWN {
        f64::NAN
    } else {
        distance
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
    walk.estimates = !reach.tells_distances;
    let mut visited = 0;
    // Waits until it is known that the next one is farther away.
    let mut held: Option<Found<T>> = None;
    while let Some(found) = walk.next(held.is_some()) {
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
        next_shape = next_shape.or_else(|| shapes.as_mut()?.next_within(before, true));
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
                Content::Box(item)
                | Content::Shape(item)
                | Content::Unmeasured(item)
                | Content::Estimated(item, _) => {
                    return Some(Found { item, distance: told(distance), is_shape: false });
                }
            }
        }
    }
}

/// Items that are gathered at most, as a multiple of those wanted and besides.
const GATHERED_SHARE: usize = 4;
const GATHERED_MORE: usize = 32;

/// Items by ascending distance up to the horizon, those of equal distance by rank.
struct Walk<'a, 'm, T, M> {
    measure: &'m M,
    heap: Heap<'a, T, ByDistanceAndRank>,
    horizon: Horizon,
    /// Whether boxes are wanted besides shapes.
    has_boxes: bool,
    /// Whether bounds of the distances of shapes are computed before the distances.
    estimates: bool,
    near: Vec<(f64, usize)>,
}

impl<'a, 'm, T: Item, M: Measure<T>> Walk<'a, 'm, T, M> {
    fn new(root: &'a Node<T>, measure: &'m M, mut horizon: Horizon, has_boxes: bool) -> Self {
        horizon.draw_window(measure);
        let (heap, near) = (Heap::new(), Vec::new());
        let mut walk = Walk { measure, heap, horizon, has_boxes, estimates: false, near };
        let is_gathered =
            walk.horizon.is_selective() && walk.horizon.has_scale() && walk.gather_all(root);
        if !is_gathered {
            walk.heap.push(0.0, 0, Content::Node(root));
        }
        walk
    }

    /// Queues all items that may be within the horizon, unless there are too many. Returns whether
    /// it did.
    fn gather_all(&mut self, root: &'a Node<T>) -> bool {
        let most = GATHERED_SHARE.saturating_mul(self.horizon.wanted) + GATHERED_MORE;
        let mut gathered = Gathered { items: Vec::with_capacity(NODE_ENTRIES_MAX), most };
        if !gathered.add(root, 0, self.measure, &mut self.horizon) {
            return false;
        }
        gathered.tighten(&mut self.horizon);
        self.heap.fill(gathered.items.into_iter().map(|(queued, _)| queued));
        // Shapes and their positions lie anywhere in memory, too.
        self.heap.items().for_each(Item::prefetch_shape);
        self.heap.items().for_each(Item::prefetch_positions);
        true
    }

    /// No item that is still to come is nearer.
    fn distance(&self) -> f64 {
        self.heap.distance()
    }

    /// Returns the next item; with an upper bound of its distance if that needn't be exact and
    /// all items still to come are farther away.
    fn next(&mut self, is_exact: bool) -> Option<Found<'a, T>> {
        self.next_within(f64::INFINITY, is_exact)
    }

    /// The same for an item that isn't farther away than so much.
    fn next_within(&mut self, most: f64, is_exact: bool) -> Option<Found<'a, T>> {
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
                Content::Estimated(item, most)
                    if !is_exact
                        && most <= self.horizon.distance
                        && self.heap.is_beyond(most + APART_MIN) =>
                {
                    return Some(Found { item, distance: most, is_shape: true })
                }
                Content::Estimated(item, _) => self.measure_shape(item, rank, false),
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

    /// Queues the items of a leaf that may be within the horizon.
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
        let farthest = self.horizon.distance;
        let estimate =
            if self.estimates { self.measure.shape_between(item, farthest) } else { None };
        let Some(Between { least, most }) = estimate else {
            return self.measure_shape(item, rank, true);
        };
        if least <= farthest {
            self.horizon.meet_measured(most, 2.0 * APART_MIN);
            self.heap.push(least, rank, Content::Estimated(item, most));
        }
    }

    /// The same for an item that is known not to fill its box. `is_new` tells whether the horizon
    /// hasn't taken it into account.
    fn measure_shape(&mut self, item: &'a T, rank: Rank, is_new: bool) {
        let distance = self.measure.shape_distance(item, self.horizon.distance);
        if distance <= self.horizon.distance {
            if is_new {
                self.horizon.meet_measured(distance, 2.0 * APART_MIN);
            }
            self.heap.push(distance, rank, Content::Shape(item));
        }
    }
}

/// Items that may be within the horizon, each with an upper bound of its distance.
struct Gathered<'a, T> {
    items: Vec<(Queued<'a, T>, f64)>,
    most: usize,
}

impl<'a, T: Item> Gathered<'a, T> {
    /// Lowers the horizon by the upper bounds of the gathered items, and drops items beyond it.
    fn tighten(&mut self, horizon: &mut Horizon) {
        horizon.meet_all(self.items.iter().map(|(_, most)| *most));
        let farthest = horizon.distance;
        self.items.retain(|(queued, _)| queued.distance <= farthest);
    }

    /// The same; returns whether that makes so much room that it isn't soon wanted again.
    fn makes_room(&mut self, horizon: &mut Horizon) -> bool {
        self.tighten(horizon);
        4 * self.items.len() <= 3 * self.most
    }

    /// Adds the items below a node. Returns false, and may leave some out, if they are too many.
    fn add(
        &mut self,
        node: &'a Node<T>,
        rank: Rank,
        measure: &impl Measure<T>,
        horizon: &mut Horizon,
    ) -> bool {
        let mut near = places(horizon.touching(node.entry_bounds()));
        match node {
            Node::Leaf(entries) => near.all(|at| {
                let (least, most) = horizon.limits(measure, &entries.bounds[at]);
                if least <= horizon.distance {
                    let item = &entries.slots[at];
                    item.prefetch();
                    let rank = rank_below(rank, at);
                    let content = Content::Unmeasured(item);
                    self.items.push((Queued { distance: least, rank, content }, most));
                }
                self.items.len() <= self.most || self.makes_room(horizon)
            }),
            Node::Branch(entries) => near.all(|at| {
                horizon.least(measure, &entries.bounds[at]) > horizon.distance
                    || self.add(&entries.slots[at], rank_below(rank, at), measure, horizon)
            }),
        }
    }
}
