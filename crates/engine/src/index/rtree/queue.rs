//! The queue of a search by distance: nodes and items, the nearest first. Measures nothing.

use std::marker::PhantomData;

use super::node::{Node, NODE_ENTRIES_MAX};

/// Where something stands in the index's order: six bits for each level from the top, of which
/// there are fewer than ten, and below them the number of levels.
pub(super) type Rank = u64;

const LEVEL_BITS: u32 = 6;
const LEVELS_MASK: Rank = 15;
const TOP_SHIFT: u32 = Rank::BITS - LEVEL_BITS;
/// The rank of boxes: behind all shapes of the same distance.
pub(super) const LAST: Rank = Rank::MAX;

const _: () = assert!(NODE_ENTRIES_MAX <= 1 << LEVEL_BITS);

/// The queue's distance of an item at a position that isn't a number, which comes last. No item is
/// so far away.
pub(super) const UNKNOWN: f64 = f64::INFINITY;

/// The rank of an entry of a node.
pub(super) fn rank_below(node: Rank, at: usize) -> Rank {
    let level = (node & LEVELS_MASK) as u32;
    let shift = TOP_SHIFT.saturating_sub(level * LEVEL_BITS);
    (node | (at as Rank) << shift) + 1
}

/// A node or an item in the queue, by distance.
pub(super) struct Queued<'a, T> {
    pub distance: f64,
    pub rank: Rank,
    pub content: Content<'a, T>,
}

pub(super) enum Content<'a, T> {
    Node(&'a Node<T>),
    /// An item that fills its box.
    Box(&'a T),
    /// An item of which only a lower bound of the distance is known.
    Unmeasured(&'a T),
    /// The same, with an upper bound of the distance.
    Estimated(&'a T, f64),
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
pub(super) trait Order {
    fn is_after<T>(a: &Queued<T>, b: &Queued<T>) -> bool;
}

/// By distance alone, as in Tile38.
pub(super) struct ByDistance;

/// By distance, then by rank.
pub(super) struct ByDistanceAndRank;

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

/// Entries for which a queue has room from the beginning.
const CAPACITY: usize = 64;

/// A binary heap, the first on top. The standard library's would give the same distances in
/// the same order, but how equal ones follow each other is part of Tile38's results.
pub(super) struct Heap<'a, T, O>(Vec<Queued<'a, T>>, PhantomData<O>);

impl<'a, T, O: Order> Heap<'a, T, O> {
    pub fn new() -> Self {
        Heap(Vec::with_capacity(CAPACITY), PhantomData)
    }

    pub fn push(&mut self, distance: f64, rank: Rank, content: Content<'a, T>) {
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

    pub fn pop(&mut self) -> Option<Queued<'a, T>> {
        let last = self.0.pop()?;
        let Some(first) = self.0.first().copied() else { return Some(last) };
        self.sink(0, last);
        Some(first)
    }

    /// Puts an entry where another one was, or farther down: to where no child comes before it.
    fn sink(&mut self, mut at: usize, entry: Queued<'a, T>) {
        let heap = &mut self.0;
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let mut least = (at, &entry);
            for child in [left, right] {
                match heap.get(child) {
                    Some(other) if !O::is_after(other, least.1) => least = (child, other),
                    _ => {}
                }
            }
            let (next, other) = least;
            if next == at {
                heap[at] = entry;
                return;
            }
            heap[at] = *other;
            at = next;
        }
    }

    /// Replaces all entries.
    pub fn fill(&mut self, entries: impl Iterator<Item = Queued<'a, T>>) {
        self.0.clear();
        self.0.extend(entries);
        for at in (0..self.0.len() / 2).rev() {
            self.sink(at, self.0[at]);
        }
    }

    /// Returns the items that aren't measured, in no order.
    pub fn items(&self) -> impl Iterator<Item = &'a T> + '_ {
        self.0.iter().filter_map(|queued| match queued.content {
            Content::Unmeasured(item) => Some(item),
            _ => None,
        })
    }

    /// Whether the first is farther away than so much, or the queue is empty.
    pub fn is_beyond(&self, most: f64) -> bool {
        self.distance() > most
    }

    /// The distance of the first; infinite if the queue is empty.
    pub fn distance(&self) -> f64 {
        self.0.first().map_or(f64::INFINITY, |first| first.distance)
    }
}
