//! Exact signs: on which side of a line a point lies, and which of two lines crosses a segment
//! first. Rounding decides nothing here. Knows no rings and no shapes.

use num_bigint::{BigInt, Sign};
use robust::{orient2d, Coord};
use std::cmp::Ordering;

use super::super::Point;
use super::segment::Segment;

/// Determinants between these sizes have neither lost digits to underflow nor overflowed.
const SURE_MIN: f64 = 1e-250;
const SURE_MAX: f64 = 1e300;

/// The rounding of a difference, relative to its size.
const UNIT: f64 = f64::EPSILON / 2.0;

/// The orientation of three points: positive if c lies left of the line from a to b, negative if
/// it lies right of it, 0 if the three are collinear. Its sign is exact for all finite
/// coordinates; with others it is NaN.
#[inline]
pub(in crate::geometry) fn orientation(a: Point, b: Point, c: Point) -> f64 {
    let coord = |p: Point| Coord { x: p.x, y: p.y };
    let value = orient2d(coord(a), coord(b), coord(c));
    if value.abs() > SURE_MIN && value.abs() < SURE_MAX {
        return value;
    }
    orientation_at_limits(a, b, c, value)
}

/// The orientation where the usual computation gave 0, almost 0, or no finite number.
#[cold]
fn orientation_at_limits(a: Point, b: Point, c: Point, value: f64) -> f64 {
    let is_sure = |p: f64, q: f64| p == 0.0 || q == 0.0 || (p * q).abs() > SURE_MIN;
    let is_exact = is_sure(a.x - c.x, b.y - c.y) && is_sure(a.y - c.y, b.x - c.x);
    if value == 0.0 && is_exact {
        return value;
    }
    let coordinates = [a.x, a.y, b.x, b.y, c.x, c.y];
    if coordinates.iter().any(|coordinate| !coordinate.is_finite()) {
        return f64::NAN;
    }
    match exact_orientation(a, b, c).sign() {
        Sign::Plus => 1.0,
        Sign::NoSign => 0.0,
        Sign::Minus => -1.0,
    }
}

/// The orientation without any rounding, in units of the smallest double squared.
fn exact_orientation(a: Point, b: Point, c: Point) -> BigInt {
    let [ax, ay, bx, by, cx, cy] = [a.x, a.y, b.x, b.y, c.x, c.y].map(exact);
    (ax - &cx) * (by - &cy) - (ay - cy) * (bx - cx)
}

/// A finite double in units of the smallest one.
fn exact(value: f64) -> BigInt {
    let bits = value.to_bits();
    let (fraction, exponent) = (bits & ((1 << 52) - 1), (bits >> 52) & 0x7ff);
    let size = match exponent {
        0 => BigInt::from(fraction),
        _ => BigInt::from(fraction | 1 << 52) << (exponent - 1),
    };
    if value.is_sign_negative() {
        -size
    } else {
        size
    }
}

/// A place on a segment, named without rounding.
#[derive(Clone, Copy, Debug)]
pub(in crate::geometry) enum Cut {
    /// A point that lies exactly on the segment.
    At(Point),
    /// Where another segment crosses this one, between the ends of both.
    Across(Segment),
}

impl Cut {
    /// Whether it is the start or the end of the segment that it lies on.
    pub(super) fn is_end_of(&self, segment: &Segment) -> bool {
        matches!(self, Cut::At(p) if *p == segment.a || *p == segment.b)
    }

    /// The order of two places along a segment, from its start to its end.
    pub(in crate::geometry) fn compare(&self, other: &Cut, along: &Segment) -> Ordering {
        match (self, other) {
            (Cut::At(p), Cut::At(q)) => compare_points(*p, *q, along),
            (Cut::At(p), Cut::Across(edge)) => compare_to_crossing(*p, edge, along),
            (Cut::Across(edge), Cut::At(p)) => compare_to_crossing(*p, edge, along).reverse(),
            (Cut::Across(edge), Cut::Across(other)) => compare_crossings(edge, other, along),
        }
    }
}

/// The order of two points of a segment: their coordinates tell, since both are exactly on it.
fn compare_points(p: Point, q: Point, along: &Segment) -> Ordering {
    let (p, q, is_ascending) = if along.a.x == along.b.x {
        (p.y, q.y, along.a.y < along.b.y)
    } else {
        (p.x, q.x, along.a.x < along.b.x)
    };
    let order = p.partial_cmp(&q).unwrap_or(Ordering::Equal);
    if is_ascending {
        order
    } else {
        order.reverse()
    }
}

/// The order of a point of a segment and of the place where an edge crosses it.
fn compare_to_crossing(p: Point, edge: &Segment, along: &Segment) -> Ordering {
    let side = orientation(edge.a, edge.b, p);
    let start = orientation(edge.a, edge.b, along.a);
    if side == 0.0 {
        Ordering::Equal
    } else if (side > 0.0) == (start > 0.0) {
        Ordering::Less
    } else {
        Ordering::Greater
    }
}

/// The order of two crossings. An edge crosses at p / (p + q) of the way, where p and q are the
/// orientations of the segment's ends, so the sign of p₁q₂ − p₂q₁ decides.
fn compare_crossings(first: &Segment, second: &Segment, along: &Segment) -> Ordering {
    if first == second || (first.a == second.b && first.b == second.a) {
        return Ordering::Equal;
    }
    let (p1, q1) = (Estimate::of(first, along.a), Estimate::of(first, along.b));
    let (p2, q2) = (Estimate::of(second, along.a), Estimate::of(second, along.b));
    let (left, right) = (p1.times(&q2), p2.times(&q1));
    let difference = left.value - right.value;
    // Twice the error: estimates of errors are rounded themselves.
    let error = 2.0 * (left.error + right.error + UNIT * difference.abs());
    if difference.abs() > error.max(SURE_MIN) && difference.abs() < SURE_MAX {
        return difference.partial_cmp(&0.0).unwrap_or(Ordering::Equal);
    }
    let size = |edge: &Segment, p: Point| exact_orientation(edge.a, edge.b, p).magnitude().clone();
    let left = size(first, along.a) * size(second, along.b);
    left.cmp(&(size(second, along.a) * size(first, along.b)))
}

/// A size that isn't negative, and how far rounding may have moved it.
struct Estimate {
    value: f64,
    error: f64,
}

impl Estimate {
    /// The size of the orientation of an edge and a point.
    fn of(edge: &Segment, p: Point) -> Self {
        let left = (edge.a.x - p.x) * (edge.b.y - p.y);
        let right = (edge.a.y - p.y) * (edge.b.x - p.x);
        // Two differences, a product and a difference of products: four roundings.
        let error = 4.0 * UNIT * (left.abs() + right.abs());
        Estimate { value: (left - right).abs(), error }
    }

    fn times(&self, other: &Estimate) -> Self {
        let value = self.value * other.value;
        let error = self.error * other.value + self.value * other.error + self.error * other.error;
        Estimate { value, error: error + UNIT * value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn segment(a: (f64, f64), b: (f64, f64)) -> Segment {
        Segment { a: Point::new(a.0, a.1), b: Point::new(b.0, b.1) }
    }

    #[test]
    fn orientation_sees_a_last_digit() {
        let (a, b) = (Point::new(12.0, 12.0), Point::new(24.0, 24.0));
        assert_eq!(orientation(a, b, Point::new(0.5, 0.5)), 0.0);
        assert!(orientation(a, b, Point::new(0.5, 0.5_f64.next_up())) > 0.0);
        assert!(orientation(a, b, Point::new(0.5_f64.next_up(), 0.5)) < 0.0);
    }

    #[test]
    fn orientation_holds_at_the_limits_of_doubles() {
        for size in [1e-200, 5e-324, 1e200, f64::MAX] {
            let (a, b) = (Point::new(0.0, 0.0), Point::new(size, size));
            assert!(orientation(a, b, Point::new(0.0, size)) > 0.0, "{size}");
            assert!(orientation(a, b, Point::new(size, 0.0)) < 0.0, "{size}");
            assert_eq!(orientation(a, b, Point::new(-size, -size)), 0.0, "{size}");
        }
        let a = Point::new(f64::INFINITY, 0.0);
        assert!(orientation(a, Point::new(0.0, 1.0), Point::new(1.0, 1.0)).is_nan());
    }

    #[test]
    fn places_are_ordered_along_a_segment() {
        let along = segment((0.0, 0.0), (10.0, 0.0));
        let at = |x: f64| Cut::At(Point::new(x, 0.0));
        let across = |x: f64| Cut::Across(segment((x - 1.0, -1.0), (x + 1.0, 1.0)));
        assert_eq!(at(2.0).compare(&at(3.0), &along), Ordering::Less);
        assert_eq!(at(2.0).compare(&across(3.0), &along), Ordering::Less);
        assert_eq!(across(3.0).compare(&at(3.0), &along), Ordering::Equal);
        assert_eq!(across(3.0).compare(&across(2.0), &along), Ordering::Greater);
        let upright = Cut::Across(segment((3.0, 5.0), (3.0, -7.0)));
        assert_eq!(across(3.0).compare(&upright, &along), Ordering::Equal);
    }

    fn coordinate() -> impl Strategy<Value = f64> {
        prop_oneof![(-4..5i32).prop_map(f64::from), (-40..50i32).prop_map(|n| f64::from(n) / 10.0)]
    }

    fn edge() -> impl Strategy<Value = Segment> {
        (coordinate(), -4..0i32, coordinate(), 1..5i32)
            .prop_map(|(x, y, z, w)| segment((x, f64::from(y) / 10.0), (z, f64::from(w) / 10.0)))
    }

    proptest! {
        // All edges cross the x axis, where the place is the quotient of two exact sums.
        #[test]
        fn crossings_are_ordered_as_fractions(first in edge(), second in edge()) {
            let along = segment((-9.0, 0.0), (9.0, 0.0));
            let place = |edge: &Segment| {
                let [x, y, z, w] = [edge.a.x, edge.a.y, edge.b.x, edge.b.y].map(exact);
                (&x * &w - &z * &y, w - y)
            };
            let ((x, y), (z, w)) = (place(&first), place(&second));
            let order = Cut::Across(first).compare(&Cut::Across(second), &along);
            prop_assert_eq!(order, (x * w).cmp(&(z * y)));
        }
    }
}
