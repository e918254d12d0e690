//! A chain of positions: a line, or a closed ring whose last position repeats its first.

use std::sync::atomic::{AtomicU32, Ordering};

use super::box_tree::BoxTree;
use super::predicates::LazyGrid;
use super::{Point, Rect};

/// From this many positions on, an index of the segments pays.
const INDEXED_POINTS_MIN: usize = 64;

/// From this many positions on, a ring's index is built when the ring is made.
const COMPLETED_POINTS_MIN: usize = 32_768;

/// Positions with what predicates need of them.
#[derive(Clone, Debug)]
pub struct Series {
    points: Box<[Point]>,
    bounds: Rect,
    index: Option<Box<SegmentIndex>>,
    simplicity: Simplicity,
}

/// What makes searches among many segments fast.
#[derive(Clone, Debug)]
struct SegmentIndex {
    tree: BoxTree,
    /// Used for rings only.
    grid: LazyGrid,
}

impl PartialEq for Series {
    /// All else follows from the positions.
    fn eq(&self, other: &Self) -> bool {
        self.points == other.points
    }
}

impl Series {
    /// Takes the positions; of a ring the closing one too.
    pub fn new(points: Vec<Point>) -> Self {
        let bounds = Rect::around(&points);
        let is_long = points.len() >= INDEXED_POINTS_MIN;
        let tree = if is_long { BoxTree::over_segments(&points) } else { None };
        let index = tree.map(|tree| Box::new(SegmentIndex { tree, grid: LazyGrid::default() }));
        Series { points: points.into(), bounds, index, simplicity: Simplicity::default() }
    }

    /// Takes the positions of a ring, the closing one too. The index of a very large ring is built
    /// at once: parsing it takes long anyway, and a search shouldn't.
    pub(super) fn ring(points: Vec<Point>) -> Self {
        let series = Series::new(points);
        if series.points.len() >= COMPLETED_POINTS_MIN {
            if let Some(index) = &series.index {
                index.grid.build(&series.points);
            }
        }
        series
    }

    /// The positions, of a ring the closing one too.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The smallest box around the positions.
    pub fn bounds(&self) -> Rect {
        self.bounds
    }

    pub(super) fn tree(&self) -> Option<&BoxTree> {
        self.index.as_ref().map(|index| &index.tree)
    }

    /// Returns the grid of a large ring.
    #[inline]
    pub(super) fn grid(&self) -> Option<&LazyGrid> {
        self.index.as_ref().map(|index| &index.grid)
    }

    pub(super) fn simplicity(&self) -> &Simplicity {
        &self.simplicity
    }

    #[cfg(test)]
    pub(super) fn without_index(&self) -> Self {
        Series { index: None, ..self.clone() }
    }
}

/// Whether a ring is simple: that it neither touches nor crosses itself.
///
/// To know saves work for each edge that objects share with the ring, but to find out costs some
/// for each edge of the ring. So it is found out once the saved work would have paid for it.
#[derive(Debug, Default)]
pub(super) struct Simplicity(AtomicU32);

const IS_SIMPLE: u32 = u32::MAX;
const ISNT_SIMPLE: u32 = u32::MAX - 1;

impl Clone for Simplicity {
    fn clone(&self) -> Self {
        Simplicity(AtomicU32::new(self.0.load(Ordering::Relaxed)))
    }
}

impl Simplicity {
    pub(super) fn is_known_simple(&self) -> bool {
        self.0.load(Ordering::Relaxed) == IS_SIMPLE
    }

    /// Notes work that was done for so many edges since it isn't known, and finds out what is left
    /// unknown when that is as much as for `price` edges.
    pub(super) fn note_work(&self, edges: u32, price: usize, find_out: impl FnOnce() -> bool) {
        let before = self.0.load(Ordering::Relaxed);
        if before >= ISNT_SIMPLE {
            return;
        }
        let sum = before.saturating_add(edges);
        let is_paid = sum as usize >= price || sum >= ISNT_SIMPLE;
        let state = match is_paid.then(find_out) {
            None => sum,
            Some(true) => IS_SIMPLE,
            Some(false) => ISNT_SIMPLE,
        };
        // Work that another thread notes at the same moment may be forgotten, which does no harm.
        self.0.store(state, Ordering::Relaxed);
    }
}
