//! The holes of a polygon. Many are found by place.

use std::ops::Deref;

use super::part_tree::PartTree;
use super::{Rect, Series};

/// From this many holes on, a tree over them pays.
const INDEXED_HOLES_MIN: usize = 16;

/// The inner rings of a polygon, all closed.
#[derive(Clone, Debug, Default)]
pub struct Holes {
    rings: Box<[Series]>,
    index: Option<Box<Index>>,
}

/// What searches and estimates need of many holes.
#[derive(Clone, Debug)]
struct Index {
    tree: PartTree,
    points_count: usize,
}

impl From<Vec<Series>> for Holes {
    fn from(rings: Vec<Series>) -> Self {
        let index = if rings.len() >= INDEXED_HOLES_MIN { Index::new(&rings) } else { None };
        Holes { rings: rings.into(), index: index.map(Box::new) }
    }
}

impl Index {
    fn new(rings: &[Series]) -> Option<Self> {
        let tree = PartTree::new(rings.iter().map(Series::bounds).enumerate())?;
        Some(Index { tree, points_count: count_points(rings) })
    }
}

fn count_points(rings: &[Series]) -> usize {
    rings.iter().map(|ring| ring.points().len()).sum()
}

impl PartialEq for Holes {
    /// All else follows from the rings.
    fn eq(&self, other: &Self) -> bool {
        self.rings == other.rings
    }
}

impl Deref for Holes {
    type Target = [Series];

    fn deref(&self) -> &[Series] {
        &self.rings
    }
}

impl<'h> IntoIterator for &'h Holes {
    type Item = &'h Series;
    type IntoIter = std::slice::Iter<'h, Series>;

    fn into_iter(self) -> Self::IntoIter {
        self.rings.iter()
    }
}

impl Holes {
    /// Returns the number of positions of all holes.
    pub fn points_count(&self) -> usize {
        self.index.as_ref().map_or_else(|| count_points(&self.rings), |index| index.points_count)
    }

    /// Returns whether the condition holds for a hole whose box touches an area. The holes are
    /// asked in no particular order.
    pub(super) fn any_near<'h>(
        &'h self,
        area: &Rect,
        mut condition: impl FnMut(&'h Series) -> bool,
    ) -> bool {
        match &self.index {
            Some(index) => index.tree.near(area).any(|at| condition(&self.rings[at])),
            None => self.rings.iter().any(|hole| hole.bounds().overlaps(area) && condition(hole)),
        }
    }

    #[cfg(test)]
    pub(super) fn without_tree(&self) -> Self {
        Holes { rings: self.rings.clone(), index: None }
    }
}
