//! Great circles on a sphere: destinations, bearings, distances. Doesn't know shapes.

use super::kernels::{asin, atan2, cos, sin};
use super::Point;
use std::f64::consts::PI;

/// The radius that circles and distances use.
pub const EARTH_METERS: f64 = 6_371_000.0;

/// The radius that SECTOR uses.
pub const SECTOR_EARTH_METERS: f64 = 6_371_008.8;

const RADIANS: f64 = PI / 180.0;
const DEGREES: f64 = 180.0 / PI;

/// The position reached from `from` after `meters` in the direction `bearing_degrees` (clockwise
/// from north), with its longitude brought to ±180.
pub fn destination(from: Point, meters: f64, bearing_degrees: f64) -> Point {
    let (longitude, latitude) = travel(from, meters / EARTH_METERS, bearing_degrees);
    let wrapped = (longitude + 3.0 * PI) % (2.0 * PI) - PI;
    Point::new(wrapped * DEGREES, latitude * DEGREES)
}

/// As `destination`, on the sphere that SECTOR uses, and the longitude may exceed ±180.
pub fn sector_destination(from: Point, meters: f64, bearing_degrees: f64) -> Point {
    let (longitude, latitude) = travel(from, meters / SECTOR_EARTH_METERS, bearing_degrees);
    Point::new(longitude * DEGREES, latitude * DEGREES)
}

/// Longitude and latitude in radians after an angular distance.
fn travel(from: Point, angle: f64, bearing_degrees: f64) -> (f64, f64) {
    let bearing = bearing_degrees * RADIANS;
    let (longitude, latitude) = (from.x * RADIANS, from.y * RADIANS);
    let (sin_latitude, cos_latitude) = (sin(latitude), cos(latitude));
    let (sin_angle, cos_angle) = (sin(angle), cos(angle));
    let reached = asin(sin_latitude * cos_angle + cos_latitude * sin_angle * cos(bearing));
    let turned =
        atan2(sin(bearing) * sin_angle * cos_latitude, cos_angle - sin_latitude * sin(reached));
    (longitude + turned, reached)
}

/// The initial bearing from a to b, in degrees from 0 up to 360.
pub fn bearing(a: Point, b: Point) -> f64 {
    let (from, to) = (a.y * RADIANS, b.y * RADIANS);
    let turn = b.x * RADIANS - a.x * RADIANS;
    let y = sin(turn) * cos(to);
    let x = cos(from) * sin(to) - sin(from) * cos(to) * cos(turn);
    (atan2(y, x) * DEGREES + 360.0) % 360.0
}

/// The haversine of the angle between two positions: grows with the distance, from 0 to 1.
pub fn haversine(a: Point, b: Point) -> f64 {
    haversine_from(a, cos(a.y * RADIANS), b)
}

/// `haversine(a, b)` given the cosine of a's latitude.
#[inline]
pub(super) fn haversine_from(a: Point, cos_a: f64, b: Point) -> f64 {
    let (from, to) = (a.y * RADIANS, b.y * RADIANS);
    let half_latitude = sin((to - from) / 2.0);
    let half_longitude = sin((b.x * RADIANS - a.x * RADIANS) / 2.0);
    half_latitude * half_latitude + cos_a * cos(to) * (half_longitude * half_longitude)
}

/// The cosine of a position's latitude.
pub(super) fn cos_latitude(p: Point) -> f64 {
    cos(p.y * RADIANS)
}

/// The haversine of a distance along the surface; the distance wraps round the Earth.
pub fn haversine_of_meters(meters: f64) -> f64 {
    let wrapped = meters % (2.0 * PI * EARTH_METERS);
    let half = sin(0.5 * wrapped / EARTH_METERS);
    half * half
}

/// The distance in metres whose haversine is given.
pub fn meters_of_haversine(haversine: f64) -> f64 {
    2.0 * EARTH_METERS * asin(haversine.sqrt())
}

/// The distance between two positions in metres.
pub fn distance(a: Point, b: Point) -> f64 {
    meters_of_haversine(haversine(a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_lies_at_its_distance_and_bearing() {
        let from = Point::new(-115.3, 33.25);
        for step in 0..36 {
            let angle = f64::from(step) * 10.0 + 0.5;
            let there = destination(from, 40_000.0, angle);
            assert!((distance(from, there) - 40_000.0).abs() < 1e-4);
            assert!((bearing(from, there) - angle).abs() < 1e-6);
        }
    }

    #[test]
    fn only_destination_brings_the_longitude_back() {
        let from = Point::new(179.9, 0.0);
        assert!(destination(from, 50_000.0, 90.0).x < -179.0);
        assert!(sector_destination(from, 50_000.0, 90.0).x > 180.0);
    }

    #[test]
    fn haversine_is_symmetric_to_the_bit() {
        for step in 0..500 {
            let a = Point::new(f64::from(step) * 0.7 - 180.0, f64::from(step % 179) - 89.3);
            let b = Point::new(12.3 - f64::from(step), f64::from((step * 31) % 171) - 85.1);
            assert_eq!(haversine(a, b).to_bits(), haversine(b, a).to_bits());
        }
    }
}
