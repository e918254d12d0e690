//! One segment against a point, and against another segment.

use super::super::{Point, Rect};
use super::exact::{orientation, Cut};

/// The straight way from a to b.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::geometry) struct Segment {
    pub(in crate::geometry) a: Point,
    pub(in crate::geometry) b: Point,
}

/// How an edge meets a segment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Contact {
    /// In one place. The two sides tell whether the edge passes from one end of the segment's line
    /// to the other there, seen just left and just right of the segment.
    Place { cut: Cut, left: bool, right: bool },
    /// Along a part of the segment, in the direction of the segment.
    Along { from: Point, to: Point },
}

impl Segment {
    pub(super) fn bounds(&self) -> Rect {
        Rect::around(&[self.a, self.b])
    }

    /// Whether both ends are the same point.
    pub(super) fn is_point(&self) -> bool {
        self.a == self.b
    }

    /// Whether the box around the segment shares a point with another box.
    #[inline]
    pub(super) fn is_near(&self, area: &Rect) -> bool {
        let (a, b) = (self.a, self.b);
        !((a.x < area.min.x && b.x < area.min.x)
            || (a.x > area.max.x && b.x > area.max.x)
            || (a.y < area.min.y && b.y < area.min.y)
            || (a.y > area.max.y && b.y > area.max.y))
    }

    /// Whether the segment itself, not only the box around it, shares a point with a box.
    pub(super) fn meets(&self, area: &Rect) -> bool {
        // The two corners farthest to the left and to the right of the segment's line.
        let is_rising = (self.a.x <= self.b.x) == (self.a.y <= self.b.y);
        let (low, high) =
            if is_rising { (area.max.y, area.min.y) } else { (area.min.y, area.max.y) };
        let across = Segment { a: Point::new(area.min.x, low), b: Point::new(area.max.x, high) };
        self.is_near(area) && self.is_straddled_by(&across)
    }

    /// Whether the point lies on the segment.
    pub(super) fn has(&self, p: Point) -> bool {
        self.is_near(&Rect::new(p, p)) && orientation(self.a, self.b, p) == 0.0
    }

    /// Whether the segments share a point.
    pub(super) fn touches(&self, other: &Segment) -> bool {
        self.is_near(&other.bounds()) && self.is_straddled_by(other) && other.is_straddled_by(self)
    }

    /// Whether the ends of another segment don't lie strictly on one side of this one's line.
    fn is_straddled_by(&self, other: &Segment) -> bool {
        let start = orientation(self.a, self.b, other.a);
        let end = orientation(self.a, self.b, other.b);
        (start >= 0.0 && end <= 0.0) || (start <= 0.0 && end >= 0.0)
    }

    /// How an edge meets this segment, which isn't a point. An edge that is one meets nothing:
    /// other edges of its ring meet what it does.
    pub(super) fn contact(&self, edge: &Segment) -> Option<Contact> {
        if (edge.a == self.a && edge.b == self.b) || (edge.a == self.b && edge.b == self.a) {
            return Some(Contact::Along { from: self.a, to: self.b });
        }
        let start = orientation(self.a, self.b, edge.a);
        let end = orientation(self.a, self.b, edge.b);
        if start == 0.0 && end == 0.0 {
            return if edge.is_point() { None } else { self.overlap(edge) };
        }
        if (start > 0.0 && end > 0.0) || (start < 0.0 && end < 0.0) {
            return None;
        }
        let cut = if start == 0.0 {
            self.is_near(&Rect::new(edge.a, edge.a)).then_some(Cut::At(edge.a))
        } else if end == 0.0 {
            self.is_near(&Rect::new(edge.b, edge.b)).then_some(Cut::At(edge.b))
        } else {
            self.crossing(edge)
        };
        let (left, right) = ((start > 0.0) != (end > 0.0), (start < 0.0) != (end < 0.0));
        cut.map(|cut| Contact::Place { cut, left, right })
    }

    /// Where an edge, whose ends lie on both sides of this segment's line, meets the segment.
    fn crossing(&self, edge: &Segment) -> Option<Cut> {
        let start = orientation(edge.a, edge.b, self.a);
        let end = orientation(edge.a, edge.b, self.b);
        if start == 0.0 {
            Some(Cut::At(self.a))
        } else if end == 0.0 {
            Some(Cut::At(self.b))
        } else {
            ((start > 0.0) != (end > 0.0)).then_some(Cut::Across(*edge))
        }
    }

    /// The part that a collinear edge shares with this segment.
    fn overlap(&self, edge: &Segment) -> Option<Contact> {
        let is_before = |p: Point, q: Point| Cut::At(p).compare(&Cut::At(q), self).is_lt();
        let (mut from, mut to) = (edge.a, edge.b);
        if is_before(to, from) {
            (from, to) = (to, from);
        }
        if is_before(from, self.a) {
            from = self.a;
        }
        if is_before(self.b, to) {
            to = self.b;
        }
        match Cut::At(from).compare(&Cut::At(to), self) {
            std::cmp::Ordering::Less => Some(Contact::Along { from, to }),
            std::cmp::Ordering::Equal => {
                Some(Contact::Place { cut: Cut::At(from), left: false, right: false })
            }
            std::cmp::Ordering::Greater => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point() -> impl Strategy<Value = Point> {
        (0..9i32, 0..9i32).prop_map(|(x, y)| Point::new(f64::from(x), f64::from(y)))
    }

    proptest! {
        #[test]
        fn a_segment_meets_a_box_if_an_end_is_in_it_or_its_border_touches(
            (a, b) in (point(), point()),
            (p, q) in (point(), point()),
        ) {
            let segment = Segment { a, b };
            let area = Rect::around(&[p, q]);
            let sides = area.ring();
            let touches = |ends: &[Point]| segment.touches(&Segment { a: ends[0], b: ends[1] });
            let expected = area.contains_point(a) || sides.windows(2).any(touches);
            prop_assert_eq!(segment.meets(&area), expected);
        }
    }
}
