//! Great circles on a sphere: destinations and bearings. Distances: see [`super::distance`].

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

#[cfg(test)]
mod tests {
    use super::super::distance::Origin;
    use super::*;

    #[test]
    fn a_destination_lies_at_its_distance_and_bearing() {
        let from = Point::new(-115.3, 33.25);
        for step in 0..36 {
            let angle = f64::from(step) * 10.0 + 0.5;
            let there = destination(from, 40_000.0, angle);
            assert!((Origin::new(from).to_point(there) - 40_000.0).abs() < 1e-4);
            assert!((bearing(from, there) - angle).abs() < 1e-6);
        }
    }

    #[test]
    fn only_destination_brings_the_longitude_back() {
        let from = Point::new(179.9, 0.0);
        assert!(destination(from, 50_000.0, 90.0).x < -179.0);
        assert!(sector_destination(from, 50_000.0, 90.0).x > 180.0);
    }
}
