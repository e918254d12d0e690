//! A grid that is built once it pays.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::OnceLock;

use super::super::super::Point;
use super::Grid;

/// From this many positions on, a grid pays.
const POSITIONS_MIN: usize = 256;
/// Positions for which building a grid takes as long as one search without it.
const POSITIONS_PER_SEARCH: usize = 128;

/// A grid that is built after so many searches that it would have saved the time to build it.
#[derive(Debug, Default)]
pub(in crate::geometry) struct LazyGrid {
    searches: AtomicU32,
    grid: OnceLock<Option<Box<Grid>>>,
}

impl Clone for LazyGrid {
    fn clone(&self) -> Self {
        let searches = AtomicU32::new(self.searches.load(Ordering::Relaxed));
        LazyGrid { searches, grid: self.grid.clone() }
    }
}

impl LazyGrid {
    /// Returns the grid of a ring for a search; `None` if it isn't built yet or can't be.
    #[inline]
    pub(in crate::geometry) fn get(&self, points: &[Point]) -> Option<&Grid> {
        match self.grid.get() {
            Some(grid) => grid.as_deref(),
            None => self.note_search(points),
        }
    }

    /// Returns the grid if it is built.
    #[inline]
    pub(in crate::geometry) fn built(&self) -> Option<&Grid> {
        self.grid.get().and_then(Option::as_deref)
    }

    #[cold]
    fn note_search(&self, points: &[Point]) -> Option<&Grid> {
        let searches = self.searches.fetch_add(1, Ordering::Relaxed) as usize;
        if searches < points.len() / POSITIONS_PER_SEARCH {
            return None;
        }
        self.build(points)
    }

    /// Builds the grid of a ring, unless it is built.
    pub(in crate::geometry) fn build(&self, points: &[Point]) -> Option<&Grid> {
        let build = || (points.len() >= POSITIONS_MIN).then(|| Grid::new(points)).flatten();
        self.grid.get_or_init(|| build().map(Box::new)).as_deref()
    }
}
