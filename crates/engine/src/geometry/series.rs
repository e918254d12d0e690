//! A chain of positions: a line, or a closed ring whose last position repeats its first.

use super::box_tree::BoxTree;
use super::{Point, Rect};

/// From this many positions on, a tree over the segments pays.
const INDEXED_POINTS_MIN: usize = 64;

/// Positions with what predicates need of them, computed once.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    points: Box<[Point]>,
    bounds: Rect,
    is_convex: bool,
    is_clockwise: bool,
    tree: Option<Box<BoxTree>>,
}

impl Series {
    /// Takes the positions; of a ring the closing one too.
    pub fn new(points: Vec<Point>) -> Self {
        let bounds = Rect::around(&points);
        let is_convex = is_convex(&points);
        let is_clockwise = is_clockwise(&points);
        let is_long = points.len() >= INDEXED_POINTS_MIN;
        let tree = if is_long { BoxTree::over_segments(&points).map(Box::new) } else { None };
        Series { points: points.into(), bounds, is_convex, is_clockwise, tree }
    }

    /// The positions, of a ring the closing one too.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The smallest box around the positions.
    pub fn bounds(&self) -> Rect {
        self.bounds
    }

    /// Whether consecutive edges, taken cyclically, never turn both ways.
    pub fn is_convex(&self) -> bool {
        self.is_convex
    }

    /// Whether the sum of (x₂−x₁)(y₂+y₁) is positive.
    pub fn is_clockwise(&self) -> bool {
        self.is_clockwise
    }

    pub(super) fn tree(&self) -> Option<&BoxTree> {
        self.tree.as_deref()
    }
}

fn is_convex(points: &[Point]) -> bool {
    let count = points.len();
    let (mut left, mut right) = (false, false);
    for (index, a) in points.iter().enumerate() {
        let (b, c) = (points[(index + 1) % count], points[(index + 2) % count]);
        let turn = (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x);
        left |= turn > 0.0;
        right |= turn < 0.0;
        if left && right {
            return false;
        }
    }
    true
}

/// Whether the closed path turns clockwise, by the sign of its area.
pub(super) fn is_clockwise(points: &[Point]) -> bool {
    points.windows(2).map(|pair| (pair[1].x - pair[0].x) * (pair[1].y + pair[0].y)).sum::<f64>()
        > 0.0
}
