//! The area SECTOR: a slice of a circle as a polygon.

use super::geodesy::sector_destination;
use super::{Geometry, Point};
use std::fmt;

/// How many parts a full turn has.
const STEPS: u32 = 64;
const TURN: f64 = 360.0;
/// Coordinates keep eight decimals.
const DECIMALS: f64 = 1e8;

/// Why there is no such sector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectorError {
    /// The first bearing isn't finite: for the client an invalid argument.
    FirstBearing,
    /// The second bearing isn't finite: for the client an invalid argument.
    SecondBearing,
    /// A coordinate isn't finite.
    InvalidData,
}

impl fmt::Display for SectorError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            SectorError::FirstBearing | SectorError::SecondBearing => "invalid bearing",
            SectorError::InvalidData => "invalid data",
        })
    }
}

impl std::error::Error for SectorError {}

/// The slice from the first bearing clockwise to the second. That they differ as numbers is up to
/// the caller; if they only name the same direction, it is the whole circle.
pub fn polygon(
    center: Point,
    meters: f64,
    first_bearing: f64,
    second_bearing: f64,
) -> Result<Geometry, SectorError> {
    // Tile38 loops forever over a bearing that isn't finite.
    if !first_bearing.is_finite() {
        return Err(SectorError::FirstBearing);
    }
    if !second_bearing.is_finite() {
        return Err(SectorError::SecondBearing);
    }
    let (first, second) = (normalize(first_bearing), normalize(second_bearing));
    let at = |bearing: f64| round(sector_destination(center, meters, bearing));
    let ring = if first == second {
        let mut ring: Vec<Point> = (1..STEPS).map(|step| at(-turned(step))).collect();
        ring.extend(ring.first().copied());
        ring
    } else {
        let end = if first < second { second } else { second + TURN };
        let mut ring = vec![center];
        let bearings = (0..=STEPS).map(|step| first + turned(step));
        ring.extend(bearings.take_while(|bearing| *bearing < end).map(at));
        ring.extend([at(end), center]);
        ring
    };
    if ring.iter().any(|point| !point.x.is_finite() || !point.y.is_finite()) {
        return Err(SectorError::InvalidData);
    }
    Ok(Geometry::simple_polygon(ring))
}

/// A bearing between 0 and 360.
fn normalize(bearing: f64) -> f64 {
    let rest = bearing % TURN;
    if rest < 0.0 {
        rest + TURN
    } else {
        rest
    }
}

/// The turn after that many steps, in whole degrees.
fn turned(step: u32) -> f64 {
    f64::from(step * 360 / STEPS)
}

fn round(point: Point) -> Point {
    let round = |value: f64| (value * DECIMALS).round() / DECIMALS;
    Point::new(round(point.x), round(point.y))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(first: f64, second: f64) -> Vec<Point> {
        match polygon(Point::new(0.0, 0.0), 100_000.0, first, second) {
            Ok(Geometry::Polygon(polygon)) => polygon.exterior.points().to_vec(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_slice_runs_from_its_origin_clockwise() {
        let quarter = ring(0.0, 90.0);
        // 0, 5, 11, 16, 22 … 84 degrees, then the end, and the origin at both ends.
        assert_eq!(quarter.len(), 16 + 1 + 2);
        assert_eq!(quarter.first(), quarter.last());
        assert!(quarter.iter().all(|p| p.x >= 0.0 && p.y >= 0.0));
        assert_eq!(ring(90.0, 0.0).len(), 48 + 1 + 2);
        assert_eq!(ring(-270.0, 360.0), ring(90.0, 0.0));
    }

    #[test]
    fn the_same_direction_twice_is_the_circle_without_origin() {
        let circle = ring(0.0, 360.0);
        assert_eq!(circle.len(), 64);
        assert_eq!(circle.first(), circle.last());
        assert!(!circle.contains(&Point::new(0.0, 0.0)));
    }

    #[test]
    fn what_is_not_finite_is_an_error() {
        let error = |latitude, meters, first, second| {
            polygon(Point::new(0.0, latitude), meters, first, second).unwrap_err()
        };
        assert_eq!(error(1.0, 1.0, f64::NAN, 1.0), SectorError::FirstBearing);
        assert_eq!(error(1.0, 1.0, 1.0, f64::INFINITY), SectorError::SecondBearing);
        assert_eq!(error(f64::NAN, 1.0, 1.0, 2.0), SectorError::InvalidData);
        assert_eq!(error(1.0, f64::INFINITY, 1.0, 2.0), SectorError::InvalidData);
        assert_eq!(error(1.0, f64::NEG_INFINITY, 1.0, 2.0).to_string(), "invalid data");
        assert!(polygon(Point::new(0.0, 0.0), -1e300, -1e-300, 1e300).is_ok());
    }
}
