//! The entries of a node: their boxes, ordered by western edge, and what they stand for.

use super::bounds::Bounds;
use super::crowd::{NodeId, NO_ID};
use crate::index::{capacity, prefetch};

/// The numbers of items in a subtree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// All items.
    pub items: u32,
    /// The items that aren't points: an area may hold a part of them.
    pub shapes: u32,
}

impl Counts {
    /// Returns the counts of one item.
    pub fn one(is_shape: bool) -> Self {
        Counts { items: 1, shapes: u32::from(is_shape) }
    }

    pub fn add(&mut self, other: Counts) {
        self.items += other.items;
        self.shapes += other.shapes;
    }

    pub fn subtract(&mut self, other: Counts) {
        self.items -= other.items;
        self.shapes -= other.shapes;
    }
}

/// Boxes, and for each an item or a child in the slot of the same position. Boxes have an array of
/// their own because they are scanned and slots aren't.
#[derive(Clone)]
pub(super) struct Entries<S> {
    pub bounds: Vec<Bounds>,
    pub slots: Vec<S>,
    /// The items below.
    pub counts: Counts,
    /// Set in crowded leaves and all above them.
    pub id: NodeId,
}

impl<S> Entries<S> {
    pub fn with_capacity(capacity: usize) -> Self {
        let (bounds, slots) = (Vec::with_capacity(capacity), Vec::with_capacity(capacity));
        Entries { bounds, slots, counts: Counts::default(), id: NO_ID }
    }

    pub fn len(&self) -> usize {
        self.bounds.len()
    }

    /// Has the slots fetched while the boxes are looked at.
    pub fn fetch_slots(&self) {
        prefetch(self.slots.as_ptr().cast(), size_of_val(&self.slots[..]));
    }

    pub fn insert(&mut self, at: usize, bounds: Bounds, slot: S) {
        capacity::insert(&mut self.bounds, at, bounds);
        capacity::insert(&mut self.slots, at, slot);
    }

    pub fn remove(&mut self, at: usize) {
        capacity::remove(&mut self.bounds, at);
        capacity::remove(&mut self.slots, at);
    }

    pub fn swap(&mut self, a: usize, b: usize) {
        self.bounds.swap(a, b);
        self.slots.swap(a, b);
    }

    /// How many entries have their western edge before this. Counted, not bisected: a bisection
    /// waits for memory at each of its steps, and what it skips is needed soon after.
    pub fn count_west_of(&self, x: f32) -> usize {
        self.bounds.iter().map(|entry| u32::from(entry.min(0) < x)).sum::<u32>() as usize
    }

    /// Moves an entry left while its western edge lies before its neighbour's.
    pub fn settle_left(&mut self, mut at: usize) {
        while at > 0 && self.bounds[at].min(0) < self.bounds[at - 1].min(0) {
            self.swap(at, at - 1);
            at -= 1;
        }
    }

    /// Moves an entry right while its western edge lies behind its neighbour's.
    pub fn settle_right(&mut self, mut at: usize) {
        while at + 1 < self.len() && self.bounds[at + 1].min(0) < self.bounds[at].min(0) {
            self.swap(at, at + 1);
            at += 1;
        }
    }
}
