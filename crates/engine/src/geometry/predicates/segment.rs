//! One segment against a point, and against another segment.

use super::super::{Point, Rect};

/// The straight way from a to b.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Segment {
    pub(super) a: Point,
    pub(super) b: Point,
}

/// What the ray from a point towards greater x meets of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cast {
    /// The point lies on the segment.
    On,
    Cross,
    Miss,
}

fn lower(a: f64, b: f64) -> f64 {
    if b < a {
        b
    } else {
        a
    }
}

fn upper(a: f64, b: f64) -> f64 {
    if b > a {
        b
    } else {
        a
    }
}

fn is_between(value: f64, a: f64, b: f64) -> bool {
    value >= lower(a, b) && value <= upper(a, b)
}

/// The third component of the cross product of a→b and c→d.
fn cross(a: Point, b: Point, c: Point, d: Point) -> f64 {
    (b.x - a.x) * (d.y - c.y) - (b.y - a.y) * (d.x - c.x)
}

impl Segment {
    pub(super) fn bounds(&self) -> Rect {
        Rect::around(&[self.a, self.b])
    }

    /// Whether the point is one of the two ends.
    pub(super) fn ends_at(&self, p: Point) -> bool {
        self.a == p || self.b == p
    }

    /// Whether the point lies on the segment; on slanted ones as far as rounding lets it.
    pub(super) fn has(&self, p: Point) -> bool {
        self.cast(p) == Cast::On
    }

    /// Whether both ends of the other lie on this segment.
    pub(super) fn has_segment(&self, other: &Segment) -> bool {
        self.has(other.a) && self.has(other.b)
    }

    /// Whether the point lies on the endless line through the segment.
    pub(super) fn is_collinear(&self, p: Point) -> bool {
        cross(self.a, p, self.a, self.b) == 0.0
    }

    /// Sends a ray from the point towards greater x.
    pub(super) fn cast(&self, p: Point) -> Cast {
        let (a, b) = (self.a, self.b);
        if (a.y < b.y && (p.y < a.y || p.y > b.y)) || (a.y > b.y && (p.y < b.y || p.y > a.y)) {
            return Cast::Miss;
        }
        if a == b {
            return if p == a { Cast::On } else { Cast::Miss };
        }
        let is_on_level = a.y == b.y && p.y == a.y && is_between(p.x, a.x, b.x);
        let is_on_upright = a.x == b.x && p.x == a.x && is_between(p.y, a.y, b.y);
        // Exact equality of two quotients: this is where rounding decides for slanted segments.
        let is_on_slope = (p.x - a.x) / (b.x - a.x) == (p.y - a.y) / (b.y - a.y);
        if is_on_level || is_on_upright || is_on_slope {
            return Cast::On;
        }
        if self.is_crossed(p) {
            Cast::Cross
        } else {
            Cast::Miss
        }
    }

    /// The ray's crossing, for a point that isn't on the segment.
    fn is_crossed(&self, mut p: Point) -> bool {
        let (a, b) = (self.a, self.b);
        // A ray through an end counts as passing just above it. A number has one successor, so
        // this ends after two steps.
        while p.y == a.y || p.y == b.y {
            p.y = p.y.next_up();
        }
        let (low, high) = if a.y <= b.y { (a, b) } else { (b, a) };
        if p.y < low.y || p.y > high.y || p.x >= upper(a.x, b.x) {
            return false;
        }
        if p.x <= lower(a.x, b.x) {
            return true;
        }
        (p.y - low.y) / (p.x - low.x) >= (high.y - low.y) / (high.x - low.x)
    }

    /// Whether the segments share a point. Not symmetric for collinear ones that overlap: only
    /// the other's ends are looked for on this one.
    pub(super) fn crosses(&self, other: &Segment) -> bool {
        let (a, b, c, d) = (self.a, self.b, other.a, other.b);
        if !self.bounds().overlaps(&other.bounds()) {
            return false;
        }
        if other.ends_at(a) || other.ends_at(b) {
            return true;
        }
        let k = cross(a, c, a, b);
        if k == 0.0 {
            return (c.x <= a.x) != (c.x <= b.x)
                || (c.y <= a.y) != (c.y <= b.y)
                || self.has(c)
                || self.has(d);
        }
        let r = cross(a, b, c, d);
        if r == 0.0 {
            return false;
        }
        let inverse = 1.0 / r;
        let t = cross(a, c, c, d) * inverse;
        let u = k * inverse;
        (0.0..=1.0).contains(&t) && (0.0..=1.0).contains(&u)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(a: (f64, f64), b: (f64, f64)) -> Segment {
        Segment { a: Point::new(a.0, a.1), b: Point::new(b.0, b.1) }
    }

    #[test]
    fn a_point_on_a_slanted_segment_is_subject_to_rounding() {
        let slope = segment((0.0, 0.0), (1.0, 3.0));
        assert!(slope.has(Point::new(0.5, 1.5)));
        assert!(!slope.has(Point::new(0.1, 0.3)));
    }

    #[test]
    fn a_ray_through_an_end_passes_above_it() {
        let upright = segment((5.0, 0.0), (5.0, 2.0));
        assert_eq!(upright.cast(Point::new(0.0, 0.0)), Cast::Cross);
        assert_eq!(upright.cast(Point::new(0.0, 2.0)), Cast::Miss);
        assert_eq!(upright.cast(Point::new(6.0, 1.0)), Cast::Miss);
        assert_eq!(upright.cast(Point::new(5.0, 2.0)), Cast::On);
    }

    #[test]
    fn collinear_overlap_depends_on_the_side_it_is_asked_from() {
        let long = segment((0.0, 0.0), (10.0, 0.0));
        let short = segment((2.0, 0.0), (4.0, 0.0));
        assert!(long.crosses(&short));
        assert!(!short.crosses(&long));
    }

    #[test]
    fn segments_that_only_touch_cross() {
        let base = segment((0.0, 0.0), (10.0, 0.0));
        assert!(base.crosses(&segment((5.0, 0.0), (5.0, 5.0))));
        assert!(base.crosses(&segment((10.0, 0.0), (20.0, 5.0))));
        assert!(!base.crosses(&segment((5.0, 0.1), (5.0, 5.0))));
    }
}
