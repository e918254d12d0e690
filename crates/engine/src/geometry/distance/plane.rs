//! A plane that stands for the sphere near a box: nothing in the box is farther on it than on the
//! sphere, and little is much nearer. Some multiplications tell what needn't be measured.

use super::super::{Point, Rect};
use super::bounds::low_sine;
use super::{Origin, RADIANS, WORLD};

/// How far to either side a plane is still of use, in degrees.
const DEGREES_MAX: f64 = 45.0;
/// A plane on which distances are at least this share of those on the sphere is a close one.
const CLOSE_SHARE: f64 = 0.95;
/// Keeps bounds below what is computed exactly, whatever is rounded.
const ROUNDING_ALLOWANCE: f64 = 1e-12;

/// By sin²(d/2) = sin²(Δφ/2) + cos φ·cos φ'·sin²(Δλ/2) with the least cosine in the box, and
/// sin x ≥ x·(1 − h²/6) for 0 ≤ x ≤ h.
pub(super) struct Plane {
    origin: Point,
    /// A degree of longitude, in degrees of latitude.
    width: f64,
    /// The haversine of a degree, for squared distances in degrees.
    factor: f64,
    is_close: bool,
}

impl Plane {
    /// `None` where a plane would tell little: far away, or beyond a pole.
    pub fn new(origin: &Origin, bounds: &Rect) -> Option<Self> {
        let Point { x, y } = origin.point;
        let middle = 0.5 * (bounds.min.x + bounds.max.x);
        let x =
            if (middle - x).abs() > 180.0 { x + ((middle - x) / 360.0).round() * 360.0 } else { x };
        let east = (bounds.max.x - x).max(x - bounds.min.x);
        let (south, north) = (bounds.min.y - y, bounds.max.y - y);
        let reach = east.max(north).max(-south);
        let has_latitudes = bounds.min.y >= WORLD.min.y && bounds.max.y <= WORLD.max.y;
        if !(origin.is_in_world && has_latitudes && reach <= DEGREES_MAX) {
            return None;
        }
        let cosines = (origin.low_cos(south * RADIANS), origin.low_cos(north * RADIANS));
        let least = cosines.0.min(cosines.1).max(0.0);
        let has_equator = bounds.min.y < 0.0 && bounds.max.y > 0.0;
        let most = if has_equator { 1.0 } else { cosines.0.max(cosines.1) };
        let half = 0.5 * RADIANS * reach;
        let sine = low_sine(half) / half.max(f64::MIN_POSITIVE);
        let factor = 0.5 * RADIANS * sine;
        Some(Plane {
            origin: Point::new(x, y),
            width: (origin.cos_latitude * least).sqrt(),
            factor: factor * factor * (1.0 - ROUNDING_ALLOWANCE),
            is_close: least * sine * sine >= most * CLOSE_SHARE,
        })
    }

    /// Whether it is of use for all of the box at once.
    pub fn is_close(&self) -> bool {
        self.is_close
    }

    /// A lower bound of the haversine to any place of the edge from a to b.
    #[inline]
    pub fn haversine(&self, a: Point, b: Point) -> f64 {
        let (x, y) = ((a.x - self.origin.x) * self.width, a.y - self.origin.y);
        let (east, north) = ((b.x - a.x) * self.width, b.y - a.y);
        let share = share_nearest(x, y, east, north);
        let (x, y) = (x + share * east, y + share * north);
        (x * x + y * y) * self.factor
    }

    /// Returns the place of the edge from a to b that is nearest on the plane.
    pub fn nearest(&self, a: Point, b: Point) -> Point {
        let (x, y) = ((a.x - self.origin.x) * self.width, a.y - self.origin.y);
        let (east, north) = ((b.x - a.x) * self.width, b.y - a.y);
        place(a, b, share_nearest(x, y, east, north))
    }

    /// Returns the degrees to the east and to the north of the origin.
    pub fn offset(&self, p: Point) -> (f64, f64) {
        (p.x - self.origin.x, p.y - self.origin.y)
    }

    /// A lower bound of the haversine to anything in a box within that of the plane.
    pub fn box_haversine(&self, bounds: &Rect) -> f64 {
        let Point { x, y } = self.origin;
        let east = (bounds.min.x - x).max(x - bounds.max.x).max(0.0) * self.width;
        let north = (bounds.min.y - y).max(y - bounds.max.y).max(0.0);
        (east * east + north * north) * self.factor
    }
}

/// The place of an edge from a to b.
pub(super) fn place(a: Point, b: Point, share: f64) -> Point {
    if share >= 1.0 {
        return b;
    }
    Point::new(a.x + share * (b.x - a.x), a.y + share * (b.y - a.y))
}

/// Where a segment that begins at (x, y) comes nearest to the origin of the plane.
#[inline]
pub(super) fn share_nearest(x: f64, y: f64, east: f64, north: f64) -> f64 {
    let share = -(x * east + y * north) / (east * east + north * north);
    // Not a number for a segment without length, whose place is its start.
    let share = if share > 0.0 { share } else { 0.0 };
    if share < 1.0 {
        share
    } else {
        1.0
    }
}

impl Origin {
    /// A lower bound, close for small angles, of the cosine of a latitude so far from the
    /// origin's: cos(φ + x) = cos φ·cos x − sin φ·sin x.
    fn low_cos(&self, rise: f64) -> f64 {
        let product = self.sin_latitude * rise;
        let sine = if product > 0.0 { product } else { self.sin_latitude * low_sine(rise) };
        self.cos_latitude * (1.0 - 0.5 * rise * rise) - sine
    }
}

#[cfg(test)]
mod tests {
    use super::super::edge::Edge;
    use super::*;
    use proptest::prelude::*;

    fn point(size: f64) -> impl Strategy<Value = Point> {
        (-size..size, -size..size).prop_map(|(x, y)| Point::new(x, y))
    }

    #[test]
    fn a_tall_box_across_the_equator_has_no_close_plane() {
        let origin = Origin::new(Point::new(0.0, 0.0));
        let tall = Rect::around(&[Point::new(0.0, -40.0), Point::new(1.0, 40.0)]);
        assert!(!Plane::new(&origin, &tall).unwrap().is_close());
        let north = Rect::around(&[Point::new(0.0, 0.0), Point::new(1.0, 5.0)]);
        assert!(Plane::new(&origin, &north).unwrap().is_close());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        #[test]
        fn nothing_is_farther_on_the_plane_than_on_the_sphere(
            center in (-180.0..180.0_f64, -90.0..90.0_f64),
            (exponent, a, b) in (-5.0..1.7_f64, point(1.0), point(1.0)),
            share in 0.0..=1.0_f64,
        ) {
            let origin = Origin::new(Point::new(center.0, center.1));
            let size = 10.0_f64.powf(exponent);
            let at = |p: Point| Point::new(center.0 + p.x * size, center.1 + p.y * size);
            let (a, b) = (at(a), at(b));
            let bounds = Rect::around(&[a, b]);
            let Some(plane) = Plane::new(&origin, &bounds) else { return Ok(()) };
            let haversine = origin.haversine_to(place(a, b, share));
            let slack = 1e-9 * haversine + 1e-22;
            let bound = plane.haversine(a, b);
            prop_assert!(bound <= haversine + slack);
            prop_assert!(plane.box_haversine(&bounds) <= bound * (1.0 + 1e-12) + 1e-30);
            if plane.is_close() {
                let nearest = Edge::new(&origin, a, b).nearest(2.0).unwrap().haversine;
                prop_assert!(bound >= 0.8 * nearest - 1e-22, "{bound} {nearest}");
            }
        }
    }
}
