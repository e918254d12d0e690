//! Where the edges of a ring pass between the inside of a box and its border, in exact order.
//! Only the coordinates of such a place are rounded.

use std::cmp::Ordering;

use super::super::predicates::{orientation, Cut, Segment};
use super::super::{Point, Rect};

/// A box that has an inside. Its sides are numbered counter-clockwise from the bottom, each with
/// the corner where it begins.
pub(super) struct ClipBox {
    bounds: Rect,
    corners: [Point; 4],
}

/// A place on the border of a box where an edge enters or leaves the inside.
pub(super) struct Crossing {
    /// The number of the side; a corner belongs to the side that begins there.
    pub(super) side: usize,
    cut: Cut,
    /// The edge, from outside or the border to the inside.
    edge: Segment,
    /// The place, rounded.
    pub(super) point: Point,
}

impl ClipBox {
    /// A box of these bounds; `None` if it has no inside.
    pub(super) fn new(bounds: &Rect) -> Option<Self> {
        let has_inside = bounds.min.x < bounds.max.x && bounds.min.y < bounds.max.y;
        let [a, b, c, d, _] = bounds.ring();
        has_inside.then_some(ClipBox { bounds: *bounds, corners: [a, b, c, d] })
    }

    /// The corner where a side begins.
    pub(super) fn corner(&self, side: usize) -> Point {
        self.corners[side % 4]
    }

    /// Whether the point lies in the box, not on its border.
    pub(super) fn has_inside(&self, p: Point) -> bool {
        (0..4).all(|side| self.depth(side, p) > 0.0)
    }

    /// How far the point lies on the inner side of a side's line; its sign is exact.
    fn depth(&self, side: usize, p: Point) -> f64 {
        match side {
            0 => p.y - self.bounds.min.y,
            1 => self.bounds.max.x - p.x,
            2 => self.bounds.max.y - p.y,
            _ => p.x - self.bounds.min.x,
        }
    }

    /// Whether the edge passes through the inside.
    pub(super) fn is_entered_by(&self, edge: &Segment) -> bool {
        let is_beyond = |side| !(self.depth(side, edge.a) > 0.0 || self.depth(side, edge.b) > 0.0);
        if (0..4).any(is_beyond) {
            return false;
        }
        let positions = self.corners.map(|corner| orientation(edge.a, edge.b, corner));
        positions.iter().any(|at| *at > 0.0) && positions.iter().any(|at| *at < 0.0)
    }

    /// Whether more than a point of an edge lies in the box or along its border.
    pub(super) fn has_part_of(&self, edge: &Segment) -> bool {
        let is_along = |side| self.depth(side, edge.a) == 0.0 && self.depth(side, edge.b) == 0.0;
        self.is_entered_by(edge) || (0..4).any(is_along)
    }

    /// The ends of the part of an edge that passes through the inside; `None` if none does.
    pub(super) fn part_of(&self, edge: Segment) -> Option<(Point, Point)> {
        let end = |a: Point, b: Point| {
            if self.has_inside(a) {
                a
            } else {
                self.entry(Segment { a, b }).point
            }
        };
        self.is_entered_by(&edge).then(|| (end(edge.a, edge.b), end(edge.b, edge.a)))
    }

    /// Where an edge enters that passes through the inside and doesn't begin there.
    pub(super) fn entry(&self, edge: Segment) -> Crossing {
        let is_beyond = |side: usize| self.depth(side % 4, edge.a) <= 0.0;
        let first = (0..4).find(|side| is_beyond(*side) && !is_beyond(side + 3)).unwrap_or(0);
        let side = if is_beyond(first + 1) {
            // It begins beyond two sides: it enters by the one on whose side the corner isn't.
            let corner = self.corner(first + 1);
            let position = orientation(edge.a, edge.b, corner);
            if position == 0.0 {
                let side = (first + 1) % 4;
                return Crossing { side, cut: Cut::At(corner), edge, point: corner };
            }
            (if position > 0.0 { first + 1 } else { first }) % 4
        } else {
            first
        };
        if self.depth(side, edge.a) == 0.0 {
            return Crossing { side, cut: Cut::At(edge.a), edge, point: edge.a };
        }
        Crossing { side, cut: Cut::Across(edge), edge, point: self.crossing_point(side, &edge) }
    }

    /// Where an edge crosses a side. Both directions of an edge give the same point.
    fn crossing_point(&self, side: usize, edge: &Segment) -> Point {
        let is_forward = (edge.a.x, edge.a.y) <= (edge.b.x, edge.b.y);
        let (s, e) = if is_forward { (edge.a, edge.b) } else { (edge.b, edge.a) };
        let Rect { min, max } = self.bounds;
        let corner = self.corner(side);
        if matches!(side, 0 | 2) {
            let x = s.x + (e.x - s.x) * (corner.y - s.y) / (e.y - s.y);
            Point::new(x.max(min.x).min(max.x), corner.y)
        } else {
            let y = s.y + (e.y - s.y) * (corner.x - s.x) / (e.x - s.x);
            Point::new(corner.x, y.max(min.y).min(max.y))
        }
    }

    /// Whether one point of a side comes before another, counter-clockwise.
    pub(super) fn is_before(side: usize, p: Point, q: Point) -> bool {
        match side {
            0 => p.x < q.x,
            1 => p.y < q.y,
            2 => p.x > q.x,
            _ => p.y > q.y,
        }
    }
}

impl Crossing {
    /// The order counter-clockwise along the border. At one place, the order of the edges on a
    /// small detour around it through the inside.
    pub(super) fn compare(&self, other: &Crossing, frame: &ClipBox) -> Ordering {
        let along = Segment { a: frame.corner(self.side), b: frame.corner(self.side + 1) };
        let angle = || orientation(other.edge.a, other.edge.b, self.edge.b);
        self.side
            .cmp(&other.side)
            .then_with(|| self.cut.compare(&other.cut, &along))
            .then_with(|| 0.0_f64.partial_cmp(&angle()).unwrap_or(Ordering::Equal))
    }
}
