//! Circles: the exact test for points, and the polygon that stands for the circle elsewhere.

use super::geodesy::{cos_latitude, destination, haversine_from, haversine_of_meters};
use super::kernels::{cos, sin};
use super::{Circle, Geometry, Point, Polygon, Rect, Series};
use std::f64::consts::PI;
use std::sync::OnceLock;

/// Corners of a circle's polygon.
const STEPS: usize = 64;
/// Positions of that polygon.
pub(super) const POSITIONS_COUNT: usize = STEPS + 2;

impl Circle {
    /// A circle of that many metres; one whose radius isn't positive is only its centre.
    pub fn new(center: Point, meters: f64) -> Self {
        let tester = CircleTester::new(center, meters);
        let bounds = Rect::around(&ring(center, meters));
        Circle { center, meters, bounds, polygon: OnceLock::new(), tester }
    }

    /// The polygon that stands for the circle, made when it is first asked for: among points,
    /// which most circles only meet, it never is, and it takes more room than all else of a fence.
    pub fn polygon(&self) -> &Series {
        self.polygon.get_or_init(|| Box::new(Series::new(ring(self.center, self.meters))))
    }

    /// The box around the polygon.
    pub fn bounds(&self) -> Rect {
        self.bounds
    }

    /// Whether a point lies in the circle itself, not in its polygon.
    pub fn contains_point(&self, p: Point) -> bool {
        self.tester.contains(p)
    }

    /// The polygon form, as a geometry of its own.
    pub fn to_polygon(&self) -> Geometry {
        let exterior = self.polygon().clone();
        Geometry::Polygon(Polygon { exterior, holes: Vec::new(), extra: None, members: None })
    }
}

fn ring(center: Point, meters: f64) -> Vec<Point> {
    if meters <= 0.0 {
        Rect::new(center, center).ring().to_vec()
    } else {
        circle_ring(center, meters, STEPS)
    }
}

/// What the point test needs of a circle, computed once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct CircleTester {
    center: Point,
    cos_latitude: f64,
    haversine_max: f64,
    is_point: bool,
}

impl CircleTester {
    fn new(center: Point, meters: f64) -> Self {
        let cos_latitude = cos_latitude(center);
        let haversine_max = haversine_of_meters(meters);
        CircleTester { center, cos_latitude, haversine_max, is_point: meters <= 0.0 }
    }

    fn contains(&self, p: Point) -> bool {
        if self.is_point {
            return p == self.center;
        }
        haversine_from(self.center, self.cos_latitude, p) <= self.haversine_max
    }
}

/// The ellipse in degrees that stands for a circle: `steps` + 1 corners, then the first again.
pub fn circle_ring(center: Point, meters: f64, steps: usize) -> Vec<Point> {
    let north = destination(center, meters, 0.0).y;
    let south = destination(center, meters, 180.0).y;
    let east = destination(center, meters, 90.0).x;
    let west = destination(center, meters, 270.0).x;
    let (half_height, half_width) = ((north - south) / 2.0, (east - west) / 2.0);
    let mut ring = Vec::with_capacity(steps + 2);
    for step in 0..=steps {
        let angle = PI / 180.0 * (step as f64 * (360.0 / steps as f64));
        let x = center.x + half_width * cos(angle);
        ring.push(Point::new(x, center.y + half_height * sin(angle)));
    }
    ring.extend(ring.first().copied());
    ring
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_has_66_positions_and_its_center_in_the_middle() {
        let circle = Circle::new(Point::new(10.0, 20.0), 1000.0);
        assert_eq!(circle.polygon().points().len(), 66);
        assert_eq!(circle.polygon().points().first(), circle.polygon().points().last());
        assert!(circle.bounds().contains_point(circle.center));
        assert_eq!(circle.bounds(), circle.polygon().bounds());
    }

    #[test]
    fn the_box_of_a_circle_is_that_of_tile38_to_the_bit() {
        let bounds = Circle::new(Point::new(-112.0, 33.0), 1000.0).bounds();
        assert_eq!(bounds.min, Point::new(-112.010_723_180_676_4, 32.991_006_783_940_81));
        assert_eq!(bounds.max, Point::new(-111.989_276_819_323_6, 33.008_993_216_059_19));
    }

    #[test]
    fn a_circle_without_radius_is_its_center() {
        let circle = Circle::new(Point::new(10.0, 20.0), -5.0);
        assert_eq!(circle.polygon().points().len(), 5);
        assert!(circle.contains_point(circle.center));
        assert!(!circle.contains_point(Point::new(10.0, 20.000_001)));
    }

    #[test]
    fn circles_of_no_finite_radius_contain_nothing() {
        for meters in [f64::NAN, f64::INFINITY] {
            let circle = Circle::new(Point::new(0.0, 0.0), meters);
            assert!(!circle.contains_point(circle.center));
        }
    }
}
