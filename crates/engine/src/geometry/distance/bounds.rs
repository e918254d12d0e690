//! Between which distances everything within a box lies, computed without trigonometry.

use super::super::geodesy::EARTH_METERS;
use super::super::Rect;
use super::{angle, is_in_world, Corner, Origin, RADIANS};
use std::f64::consts::{FRAC_PI_2, PI};

/// Keeps bounds of distances outside of those that are computed exactly, whatever is rounded.
const ROUNDING_ALLOWANCE: f64 = 1e-12;
pub(super) const ROUNDING_METERS: f64 = 1e-6;
/// The same near the antipode, where the last digit of a haversine is worth decimetres.
const ANTIPODE_ROUNDING_METERS: f64 = 1.0;
const ANTIPODE_ANGLE: f64 = 3.0;

/// The least and the greatest distance at which anything in a box may be.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Between {
    pub least: f64,
    pub most: f64,
}

impl Between {
    /// Returns a lower bound of the distance in metres of a place, given one of its haversine.
    pub(super) fn least_of_haversine(haversine: f64) -> f64 {
        // An angle isn't less than its sine.
        2.0 * EARTH_METERS * haversine.sqrt() * (1.0 - ROUNDING_ALLOWANCE) - ROUNDING_METERS
    }
}

/// From here on the cheap bounds are so wide that closer ones pay.
const FAR_METERS: f64 = 500_000.0;

/// What is known without a box: nothing.
const UNKNOWN: Between = Between { least: f64::NEG_INFINITY, most: f64::INFINITY };

/// A lower bound of the sine of an angle from 0 to π.
pub(super) fn low_sine(angle: f64) -> f64 {
    angle - angle * angle * angle / 6.0
}

/// An upper bound of the angle whose haversine is given: asin x ÷ x is convex in x², so it lies
/// below its chord from 0 to 1.
#[inline]
pub(super) fn high_angle(haversine: f64) -> f64 {
    2.0 * haversine.sqrt() * (1.0 + (FRAC_PI_2 - 1.0) * haversine)
}

/// How far an exactly computed distance may be off, at an angle of at most so much.
#[inline]
fn rounding_meters(angle: f64) -> f64 {
    if angle < ANTIPODE_ANGLE {
        ROUNDING_METERS
    } else {
        ANTIPODE_ROUNDING_METERS
    }
}

impl Origin {
    /// Between which distances in metres everything in the box lies; cheap rather than close, but
    /// close for small boxes nearby. By haversines:
    /// sin²(d/2) = sin²(Δφ/2) + cos φ·cos φ'·sin²(Δλ/2), where x ≥ sin x ≥ x − x³/6, and
    /// cosines differ no more than their angles do. Where boxes
    /// are tall, the distance to a meridian is the better bound below.
    pub fn between(&self, area: &Rect) -> Between {
        let Some((least, most)) = self.angles_between(area) else { return UNKNOWN };
        Between {
            least: EARTH_METERS * least * (1.0 - ROUNDING_ALLOWANCE) - rounding_meters(least),
            most: EARTH_METERS * most.min(PI) * (1.0 + ROUNDING_ALLOWANCE) + ROUNDING_METERS,
        }
    }

    /// Returns an upper bound of the distance in metres of a position so many degrees to the east
    /// and to the north.
    pub(super) fn most_at_offset(&self, (east, north): (f64, f64)) -> f64 {
        // No cosine exceeds its tangent's value.
        let cos_most = self.cos_latitude - self.sin_latitude * RADIANS * north;
        let square = north * north + self.cos_latitude * cos_most.min(1.0) * east * east;
        EARTH_METERS * high_angle(0.25 * RADIANS * RADIANS * square) * (1.0 + ROUNDING_ALLOWANCE)
            + ROUNDING_METERS
    }

    /// Returns a distance in metres within which everything lies whose squared distance isn't
    /// greater on the plane of this origin: in degrees of latitude, where a degree of longitude
    /// has the origin's width.
    pub fn most_at(&self, square: f64) -> f64 {
        // No cosine exceeds its tangent's value.
        let rise = RADIANS * square.sqrt();
        let cos_most = (self.cos_latitude + self.sin_latitude.abs() * rise).min(1.0);
        let square = square * (cos_most / self.cos_latitude).max(1.0);
        let haversine = 0.25 * RADIANS * RADIANS * square * (1.0 + ROUNDING_ALLOWANCE);
        // Not `min`, which hides NaN.
        let angle = if haversine > 1.0 { PI } else { high_angle(haversine) };
        EARTH_METERS * angle * (1.0 + ROUNDING_ALLOWANCE) + ROUNDING_METERS
    }

    /// The same as [`Origin::between`], closer for boxes far away, by the distance to their middle.
    #[inline]
    pub fn between_closely(&self, area: &Rect, between: Between) -> Between {
        if between.least < FAR_METERS || !is_in_world(area) {
            return between;
        }
        self.between_around_middle(area, between)
    }

    fn between_around_middle(&self, area: &Rect, between: Between) -> Between {
        let middle = Corner::of(area.center());
        let height = 0.5 * (area.max.y - area.min.y) * RADIANS;
        let width = 0.5 * (area.max.x - area.min.x) * RADIANS;
        let cos_most = (middle.cos_latitude + height).min(1.0) * middle.cos_latitude;
        let radius = EARTH_METERS * high_angle(0.25 * (height * height + cos_most * width * width));
        let to_middle = angle(middle, self.corner());
        let meters = EARTH_METERS * to_middle;
        let allowance = radius + rounding_meters(to_middle + radius / EARTH_METERS);
        Between {
            least: between.least.max(meters - allowance),
            most: between.most.min(meters + allowance),
        }
    }

    /// The bounds as angles, as far as they aren't rounded.
    #[inline]
    pub(super) fn angles_between(&self, area: &Rect) -> Option<(f64, f64)> {
        let (turn, turn_most) = self.turns_to(area)?;
        // A digit less than `radians` has, but no division.
        let (south, north) = (area.min.y * RADIANS, area.max.y * RADIANS);
        let (to_south, to_north) = (south - self.latitude, self.latitude - north);
        let rise = to_south.max(to_north).max(0.0);
        let rise_most = (-to_south).max(-to_north);
        let to_meridian = if turn > FRAC_PI_2 {
            FRAC_PI_2 - self.latitude.abs() // the pole is on the way
        } else {
            self.cos_latitude * low_sine(turn)
        };
        let cos_least = (self.cos_latitude - rise_most).max(0.0) * self.cos_latitude;
        let cos_most = (self.cos_latitude + rise_most).min(1.0) * self.cos_latitude;
        let (up, across) = (low_sine(0.5 * rise), low_sine(0.5 * turn));
        let chord = (up * up + cos_least * across * across).sqrt();
        let least = (2.0 * chord).max(rise).max(to_meridian);
        let square = 0.25 * (rise_most * rise_most + cos_most * turn_most * turn_most);
        Some((least, high_angle(square)))
    }

    /// The least and the greatest turn in longitude to anything in the box, in radians from 0 to
    /// π. `None` where a latitude is beyond a pole.
    #[inline]
    fn turns_to(&self, area: &Rect) -> Option<(f64, f64)> {
        if !(is_in_world(area) && self.is_in_world) {
            return self.turns_around(area);
        }
        let (west, east) = (area.min.x * RADIANS, area.max.x * RADIANS);
        let full_turn = |angle: f64| if angle < 0.0 { angle + 2.0 * PI } else { angle };
        let is_above = west <= self.longitude && self.longitude <= east;
        let turn = full_turn(west - self.longitude).min(full_turn(self.longitude - east));
        let turn = if is_above { 0.0 } else { turn };
        Some((turn, (turn + (east - west)).min(PI)))
    }

    /// The same for boxes that go beyond ±180°.
    #[cold]
    fn turns_around(&self, area: &Rect) -> Option<(f64, f64)> {
        let width = area.max.x - area.min.x;
        let has_latitudes = area.min.y >= -90.0 && area.max.y <= 90.0;
        if !(self.is_in_world && has_latitudes && (0.0..f64::INFINITY).contains(&width)) {
            return None;
        }
        let offset = (self.point.x - area.min.x).rem_euclid(360.0);
        let turn = (offset - width).min(360.0 - offset).max(0.0) * RADIANS;
        Some((turn, (turn + width * RADIANS).min(PI)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Point;
    use super::*;

    #[test]
    fn distances_within_a_box_lie_between_its_bounds() {
        let mut state = 1_u64;
        let mut degrees = |most: f64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((state >> 33) as f64 / (1_u64 << 30) as f64 - 1.0) * most
        };
        for round in 0..200_000 {
            let most = if round % 10 == 0 { 400.0 } else { 180.0 };
            let center = Point::new(degrees(most), degrees(most / 2.0));
            let from = Origin::new(center);
            let corner = match round % 7 {
                0 => Point::new(center.x + degrees(1e-6), center.y + degrees(1e-6)),
                1 if most < 400.0 => {
                    let Point { x, y } = from.antipode();
                    let span = [1e-7, 1e-4, 1e-2, 1.0][round / 7 % 4];
                    Point::new((x + degrees(span)).clamp(-180.0, 180.0), y + degrees(span))
                }
                _ => Point::new(degrees(most), degrees(90.0)),
            };
            let size = [0.0, 1e-7, 1e-3, 20.0][round % 4] * degrees(1.0).abs();
            let area = Rect::new(corner, Point::new(corner.x + size, corner.y + size / 2.0));
            let between = from.between(&area);
            if is_in_world(&area) {
                assert!(between.least <= from.to_rect(&area), "{from:?} {area:?} {between:?}");
            }
            let closely = from.between_closely(&area, between);
            for (right, up) in [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.3)] {
                let inside = Point::new(corner.x + size * right, corner.y + size / 2.0 * up);
                let distance = from.to_point(inside);
                for Between { least, most } in [between, closely] {
                    let is_between = least <= distance && distance <= most;
                    assert!(is_between, "{from:?} {area:?} {least} {distance} {most}");
                }
            }
        }
    }

    #[test]
    fn positions_are_no_farther_than_their_planar_distance_tells() {
        let mut share = super::super::tests::shares(5);
        for round in 0..100_000 {
            let center = Point::new(share() * 360.0 - 180.0, share() * 180.0 - 90.0);
            let from = Origin::new(center);
            let size = [1e-5, 0.1, 10.0, 400.0][round % 4];
            let p =
                Point::new(center.x + (share() - 0.5) * size, center.y + (share() - 0.5) * size);
            let east = (p.x - center.x) * from.width();
            let north = p.y - center.y;
            let (most, distance) = (from.most_at(east * east + north * north), from.to_point(p));
            assert!(distance <= most, "{center:?} {p:?} {distance} {most}");
            let is_near = size < 1.0 && from.width() > 0.1;
            assert!(!is_near || most <= 1.01 * distance + 1e-5, "{center:?} {p:?} {most}");
        }
    }

    #[test]
    fn bounds_of_small_boxes_nearby_are_close() {
        let from = Origin::new(Point::new(33.0, 52.0));
        let area = Rect::new(Point::new(33.2, 52.1), Point::new(33.200_001, 52.100_001));
        let (between, exact) = (from.between(&area), from.to_rect(&area));
        assert!(between.least > exact * 0.998 && between.most < exact * 1.002, "{between:?}");
        let beyond = Origin::new(Point::new(-179.9, 52.0));
        let area = Rect::new(Point::new(180.3, 52.1), Point::new(180.300_001, 52.100_001));
        assert!((beyond.between(&area).least - exact).abs() < 50.0);
    }
}
