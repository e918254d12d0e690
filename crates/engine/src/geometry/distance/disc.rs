//! Discs: all places at most so many metres from an origin. Two planes decide for most points
//! whether they are in the disc, the haversine for others, NEARBY's distance for those at the
//! border.

use super::super::geodesy::EARTH_METERS;
use super::super::kernels::sin_cos;
use super::super::Point;
use super::bounds::low_sine;
use super::cover::Spread;
use super::edge::Edge;
use super::{Cover, Origin, METERS_MAX, RADIANS, WORLD};
use std::f64::consts::FRAC_PI_2;

/// How far haversines that are computed in different ways may lie apart: relative to themselves,
/// and for short distances to their root, which an error of about 1e-14 in the angle makes.
const RELATIVE_ALLOWANCE: f64 = 1e-11;
const ROOT_ALLOWANCE: f64 = 1e-14;

/// The greatest angle that a plane decides about.
const PLANE_ANGLE_MAX: f64 = 0.3;
/// How far a plane keeps from a pole at least, where rounding could change a cosine by more than
/// the allowances.
const POLAR_ANGLE_MIN: f64 = 1e-3;

/// The degrees by which a bounding box is widened, so that rounding never cuts off a part of the
/// disc.
const DEGREES_ALLOWANCE: f64 = 1e-12;

/// A haversine that no distance has.
const BEYOND_ALL: f64 = 2.0;

/// See the module; `meters` isn't negative, but may be NaN or infinite.
#[derive(Clone, Debug)]
pub(in super::super) struct Disc {
    pub origin: Origin,
    pub meters: f64,
    /// A haversine up to which a point surely is in it.
    inside: f64,
    /// A haversine beyond which a point surely isn't.
    outside: f64,
    /// `None` for a disc of one point or of none.
    spread: Option<Spread>,
    plane: Option<PlanarDisc>,
}

impl Disc {
    pub fn new(center: Point, meters: f64) -> Self {
        let origin = Origin::new(center);
        let spread = origin.spread(meters);
        let half = Half::of(meters / EARTH_METERS);
        let (inside, outside) =
            if meters >= METERS_MAX { (BEYOND_ALL, BEYOND_ALL) } else { half.limits() };
        let plane = spread.and_then(|spread| PlanarDisc::new(&origin, &half, &spread));
        Disc { origin, meters, inside, outside, spread, plane }
    }

    /// The boxes around it; see [`Origin::cover`].
    pub fn cover(&self) -> Cover {
        self.origin.cover(self.spread)
    }

    /// Returns the planes; `None` for discs of thousands of kilometres or near a pole.
    pub fn planar(&self) -> Option<&PlanarDisc> {
        self.plane.as_ref()
    }

    pub fn has_point(&self, p: Point) -> bool {
        if let Some(is_in) = self.plane.as_ref().and_then(|plane| plane.has_point(p)) {
            return is_in;
        }
        let haversine = self.origin.haversine_to(p);
        haversine <= self.inside
            || (haversine <= self.outside && self.origin.to_point(p) <= self.meters)
    }

    /// Whether an edge whose ends are in the disc has a place that isn't.
    pub fn is_left_by(&self, a: Point, b: Point) -> bool {
        Edge::new(&self.origin, a, b).exceeds(self.outside)
    }
}

/// The angle of a disc, with the sine and the cosine of its half.
struct Half {
    angle: f64,
    sine: f64,
    cosine: f64,
}

impl Half {
    fn of(angle: f64) -> Self {
        let (sine, cosine) = sin_cos(0.5 * angle);
        Half { angle, sine, cosine }
    }

    /// Returns a haversine up to which a point surely is in the disc, and one beyond which it
    /// surely isn't.
    fn limits(&self) -> (f64, f64) {
        let (haversine, root) = (self.sine * self.sine, self.sine);
        let slack = root * (RELATIVE_ALLOWANCE * root + ROOT_ALLOWANCE);
        (haversine - slack, haversine + slack)
    }
}

/// A disc by squared distances in degrees on two planes: with the greatest cosine of a latitude in
/// the disc nothing is nearer than on the sphere, with the least nothing is farther. Holds for
/// positions within ±180° and ±90° whose longitude differs by 180° at most from the centre's.
#[derive(Clone, Debug)]
pub struct PlanarDisc {
    /// The centre.
    pub center: Point,
    half_width: f64,
    half_height: f64,
    /// The square of the least length of a degree of longitude, in degrees of latitude.
    pub least_width: f64,
    /// The square of its greatest length.
    pub most_width: f64,
    /// The squared distance up to which a point is in the disc, with the greatest length.
    pub inside: f64,
    /// The squared distance beyond which a point isn't, with the least length.
    pub outside: f64,
}

impl PlanarDisc {
    fn new(origin: &Origin, half: &Half, spread: &Spread) -> Option<Self> {
        let angle = half.angle;
        let polar_angle = FRAC_PI_2 - origin.latitude.abs() - angle;
        if !(angle <= PLANE_ANGLE_MAX && polar_angle >= angle.max(POLAR_ANGLE_MIN)) {
            return None;
        }
        let (sine, cosine) = (2.0 * half.sine * half.cosine, 1.0 - 2.0 * half.sine * half.sine);
        let (cos_least, cos_most) = origin.cosines_around(sine, cosine);
        let has_equator = origin.latitude.abs() <= angle;
        let cos_most = if has_equator { 1.0 } else { cos_most };
        let half_width = spread.half_width + DEGREES_ALLOWANCE;
        let half_height = spread.half_height + DEGREES_ALLOWANCE;
        let reach = 0.5 * RADIANS * half_width.max(half_height);
        let slack = low_sine(reach) / reach;
        // A haversine is a quarter of the square of a short angle.
        let square = 4.0 / (RADIANS * RADIANS);
        let (inside, outside) = half.limits();
        Some(PlanarDisc {
            center: origin.point,
            half_width,
            half_height,
            least_width: origin.cos_latitude * cos_least,
            most_width: origin.cos_latitude * cos_most,
            inside: square * inside * (1.0 - RELATIVE_ALLOWANCE),
            outside: square * outside / (slack * slack) * (1.0 + RELATIVE_ALLOWANCE),
        })
    }

    /// `None` where the planes differ, or the point has another name.
    #[inline]
    fn has_point(&self, p: Point) -> Option<bool> {
        let mut east = (p.x - self.center.x).abs();
        if east > 180.0 {
            east = (360.0 - east).abs();
        }
        let north = (p.y - self.center.y).abs();
        if !(east <= 180.0 && p.y.abs() <= WORLD.max.y) {
            return None;
        }
        let (east_square, north_square) = (east * east, north * north);
        if east > self.half_width
            || north > self.half_height
            || north_square + self.least_width * east_square > self.outside
        {
            return Some(false);
        }
        (north_square + self.most_width * east_square <= self.inside).then_some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::geodesy::destination;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn a_point_is_in_a_disc_if_its_distance_is_the_radius_or_less(
            (x, y) in (-180.0..180.0_f64, -90.0..90.0_f64),
            exponent in -3.0..7.4_f64,
            bearing in 0.0..360.0_f64,
            share in prop_oneof![
                0.0..2.0_f64,
                0.99..1.01_f64,
                Just(1.0),
                (-1e-7..1e-7_f64).prop_map(|more| 1.0 + more),
                (-1e-13..1e-13_f64).prop_map(|more| 1.0 + more),
            ],
            turns in -2..3_i32,
        ) {
            let meters = 10.0_f64.powf(exponent);
            let center = Point::new(x, y);
            let disc = Disc::new(center, meters);
            let mut p = destination(center, meters * share, bearing);
            let distance = disc.origin.to_point(p);
            prop_assert_eq!(disc.has_point(p), distance <= meters, "{:?} {}", disc, distance);
            p.x += 360.0 * f64::from(turns);
            prop_assert_eq!(disc.has_point(p), disc.origin.to_point(p) <= meters);
            let beyond = Point::new(p.x + 180.0, 180.0 - p.y);
            prop_assert_eq!(disc.has_point(beyond), disc.origin.to_point(beyond) <= meters);
        }
    }

    #[test]
    fn a_plane_decides_about_nearly_all_points() {
        let disc = Disc::new(Point::new(13.4, 52.5), 50_000.0);
        let plane = disc.plane.unwrap();
        let steps = (0..100).flat_map(|x| (0..100).map(move |y| (f64::from(x), f64::from(y))));
        let undecided = steps
            .filter(|(x, y)| {
                let p = Point::new(12.6 + 0.016 * x, 52.0 + 0.01 * y);
                plane.has_point(p).is_none()
            })
            .count();
        assert!(undecided < 300, "{undecided}");
    }
}
