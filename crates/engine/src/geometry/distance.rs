//! Distances of NEARBY: from a position to a box over the sphere, 0 inside it.

use super::geodesy::{self, EARTH_METERS};
use super::kernels::{asin, cos, sin, tan};
use super::{Point, Rect};
use std::f64::consts::{FRAC_PI_2, PI};

fn radians(degrees: f64) -> f64 {
    degrees * PI / 180.0
}

/// A query position with what its distances share computed once.
#[derive(Clone, Copy, Debug)]
pub struct From {
    latitude: f64,
    longitude: f64,
    cos_latitude: f64,
    tan_latitude: f64,
    is_in_world: bool,
}

/// Latitude and longitude in radians, with the latitude's cosine where it is known.
#[derive(Clone, Copy)]
struct Corner {
    latitude: f64,
    longitude: f64,
    cos_latitude: f64,
}

impl Corner {
    fn new(latitude: f64, longitude: f64) -> Self {
        Corner { latitude, longitude, cos_latitude: cos(latitude) }
    }
}

/// The angle between two positions. The factors' order decides the last digit.
fn angle(a: Corner, b: Corner) -> f64 {
    if a.latitude == b.latitude && a.longitude == b.longitude {
        return 0.0;
    }
    let s = sin(0.5 * (a.latitude - b.latitude));
    let t = sin(0.5 * (a.longitude - b.longitude));
    2.0 * asin((s * s + t * t * a.cos_latitude * b.cos_latitude).sqrt())
}

/// Where latitudes and longitudes are what they seem.
const WORLD: Rect = Rect { min: Point { x: -180.0, y: -90.0 }, max: Point { x: 180.0, y: 90.0 } };

/// Keeps a least distance below the one that is computed exactly, whatever is rounded.
const ROUNDING_ALLOWANCE: f64 = 1.0 - 1e-12;

impl From {
    /// Prepares distances from a position.
    pub fn new(point: Point) -> Self {
        let latitude = radians(point.y);
        From {
            latitude,
            longitude: radians(point.x),
            cos_latitude: cos(latitude),
            tan_latitude: tan(latitude),
            is_in_world: WORLD.contains_point(point),
        }
    }

    /// The distance to a box in metres.
    pub fn to_rect(&self, area: &Rect) -> f64 {
        EARTH_METERS * self.angle_to(area)
    }

    /// The distance to another position in metres, the same as to the box around it.
    pub fn to_point(&self, p: Point) -> f64 {
        EARTH_METERS * angle(Corner::new(radians(p.y), radians(p.x)), self.corner())
    }

    /// No more than the distance in metres to anything in the box, without trigonometry: by the
    /// difference of latitudes, and by cos φ·sin Δλ, the sine of the angle to a meridian, where
    /// sin x ≥ x − x³/6. Beyond a quarter turn the pole is on the way.
    pub fn least_to_rect(&self, area: &Rect) -> f64 {
        if !(WORLD.contains(area) && self.is_in_world) {
            return f64::NEG_INFINITY; // angles that wrap around have no such bounds
        }
        let (south, north) = (radians(area.min.y), radians(area.max.y));
        let (west, east) = (radians(area.min.x), radians(area.max.x));
        let beside = (south - self.latitude).max(self.latitude - north);
        let full_turn = |angle: f64| if angle < 0.0 { angle + 2.0 * PI } else { angle };
        let turn = full_turn(west - self.longitude).min(full_turn(self.longitude - east));
        let across = if west <= self.longitude && self.longitude <= east {
            0.0
        } else if turn > FRAC_PI_2 {
            FRAC_PI_2 - self.latitude.abs()
        } else {
            self.cos_latitude * (turn - turn * turn * turn / 6.0)
        };
        EARTH_METERS * beside.max(across).max(0.0) * ROUNDING_ALLOWANCE
    }

    fn corner(&self) -> Corner {
        let From { latitude, longitude, cos_latitude, .. } = *self;
        Corner { latitude, longitude, cos_latitude }
    }

    fn angle_to(&self, area: &Rect) -> f64 {
        let (south, north) = (radians(area.min.y), radians(area.max.y));
        let (west, east) = (radians(area.min.x), radians(area.max.x));
        if south >= north && west >= east {
            return angle(Corner::new(south, west), self.corner());
        }
        if west <= self.longitude && self.longitude <= east {
            return if self.latitude < south {
                south - self.latitude
            } else if self.latitude > north {
                self.latitude - north
            } else {
                0.0
            };
        }
        self.angle_beside(&Sides { south, north, west, east })
    }

    /// The angle to a box that lies wholly to the west or the east.
    fn angle_beside(&self, sides: &Sides) -> f64 {
        let Sides { south, north, west, east } = *sides;
        let full_turn = |angle: f64| if angle < 0.0 { angle + 2.0 * PI } else { angle };
        let to_west_side = full_turn(west - self.longitude);
        let to_east_side = full_turn(self.longitude - east);
        let (turn, side) =
            if to_west_side <= to_east_side { (to_west_side, west) } else { (to_east_side, east) };
        let cos_turn = cos(turn);
        let is_north = if turn >= FRAC_PI_2 {
            Some(self.tan_latitude >= tan(0.5 * (north + south)) * cos_turn)
        } else if self.tan_latitude >= tan(north) * cos_turn {
            Some(true)
        } else if self.tan_latitude <= tan(south) * cos_turn {
            Some(false)
        } else {
            None
        };
        match is_north {
            Some(true) => angle(self.corner(), Corner::new(north, side)),
            Some(false) => angle(self.corner(), Corner::new(south, side)),
            None => asin(self.cos_latitude * sin(turn)),
        }
    }
}

/// A box in radians.
struct Sides {
    south: f64,
    north: f64,
    west: f64,
    east: f64,
}

/// The distance from a position to a box in metres; to many boxes, see [`From`].
pub fn to_rect(from: Point, area: &Rect) -> f64 {
    From::new(from).to_rect(area)
}

/// The distance between two centres in metres, as SPARSE reports it.
pub fn center_to_center(a: Point, b: Point) -> f64 {
    geodesy::distance(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(min_x: f64, min_y: f64, max_x: f64, max_y: f64) -> Rect {
        Rect::new(Point::new(min_x, min_y), Point::new(max_x, max_y))
    }

    #[test]
    fn distances_are_those_of_tile38_to_the_bit() {
        let origin = Point::new(0.0, 0.0);
        assert_eq!(to_rect(origin, &rect(10.0, 10.0, 20.0, 20.0)), 1_568_520.556_798_576);
        assert_eq!(to_rect(origin, &rect(5.0, 5.0, 5.0, 5.0)), 785_767.220_842_262_1);
        let beside = to_rect(Point::new(50.0, 0.0), &rect(30.0, 0.0, 40.0, 0.0));
        assert_eq!(beside, 1_111_949.266_445_587_4);
        let query = From::new(Point::new(-115.0, 33.0));
        for (x, y, meters) in [
            (-115.0, 33.0, 0.0),
            (-115.02, 33.01, 2_171.336_665_067_286_5),
            (-74.006, 40.712_8, 3_711_395.408_977_229_6),
            (151.209_3, -33.868_8, 12_282_645.878_685_212),
        ] {
            assert_eq!(query.to_point(Point::new(x, y)), meters);
            assert_eq!(query.to_rect(&rect(x, y, x, y)), meters);
        }
    }

    #[test]
    fn a_position_in_the_box_is_no_distance_away() {
        assert_eq!(to_rect(Point::new(3.0, 4.0), &rect(3.0, 0.0, 9.0, 9.0)), 0.0);
    }

    #[test]
    fn distances_wrap_round_the_antimeridian() {
        let near = to_rect(Point::new(179.0, 0.0), &rect(-179.0, -1.0, -170.0, 1.0));
        assert!((near - 222_389.85).abs() < 1.0);
    }

    #[test]
    fn the_least_distance_is_never_above_the_exact_one() {
        let mut state = 1_u64;
        let mut degrees = |most: f64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((state >> 33) as f64 / (1_u64 << 30) as f64 - 1.0) * most
        };
        for round in 0..200_000 {
            let most = if round % 10 == 0 { 400.0 } else { 180.0 };
            let from = From::new(Point::new(degrees(most), degrees(most / 2.0)));
            let corner = Point::new(degrees(180.0), degrees(90.0));
            let size = if round % 3 == 0 { 0.0 } else { degrees(20.0).abs() };
            let opposite = Point::new(corner.x + size, corner.y + size / 2.0);
            let area = Rect::new(corner, opposite);
            assert!(from.least_to_rect(&area) <= from.to_rect(&area), "{from:?} {area:?}");
        }
    }
}
