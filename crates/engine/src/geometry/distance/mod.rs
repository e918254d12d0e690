//! Great-circle distances from one position: to positions and boxes here, to all other geometries
//! in [`nearest`]. NEARBY, DISTANCE, fences and circles all use these.
//!
//! A geometry is the set of positions that the planar predicates give it: the edges of lines and
//! rings are straight in longitude and latitude, as RFC 7946, section 3.1.1, defines them. The
//! distance to a geometry is the least great-circle distance (haversine, on a sphere) to any of
//! its positions: 0 within an area, otherwise the least distance to its border. So whatever
//! INTERSECTS with a position is at distance 0 from it. A position beyond ±180° or ±90° is the
//! place on the sphere that the haversine formula takes it for.

mod bounds;
mod cover;
mod disc;
mod edge;
pub mod nearest;
mod plane;
mod window;

use super::geodesy::EARTH_METERS;
use super::kernels::{asin, cos, sin, tan};
use super::{Point, Rect};
use std::f64::consts::{FRAC_PI_2, PI};

pub use bounds::Between;
pub(super) use cover::EVERYWHERE;
pub use cover::{named_within, Cover, COVER_BOXES_MAX};
pub(super) use disc::Disc;
pub use disc::PlanarDisc;
pub use window::{Scale, Window};

const RADIANS: f64 = PI / 180.0;

/// Half the circumference of the Earth: no two places are farther apart.
pub const METERS_MAX: f64 = PI * EARTH_METERS;

/// The angle in radians, to the bit as Tile38 computes it.
fn radians(degrees: f64) -> f64 {
    degrees * PI / 180.0
}

/// A position from which distances are measured, with everything they share computed once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Origin {
    point: Point,
    latitude: f64,
    longitude: f64,
    sin_latitude: f64,
    cos_latitude: f64,
    tan_latitude: f64,
    is_in_world: bool,
}

/// Latitude and longitude in radians, with the latitude's cosine.
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

    fn of(p: Point) -> Self {
        let p = normalized(p);
        Corner::new(radians(p.y), radians(p.x))
    }
}

/// The haversine of the angle between two positions. The factors' order decides the last digit.
fn haversine(a: Corner, b: Corner) -> f64 {
    let s = sin(0.5 * (a.latitude - b.latitude));
    let t = sin(0.5 * (a.longitude - b.longitude));
    s * s + t * t * a.cos_latitude * b.cos_latitude
}

/// The angle between two positions.
fn angle(a: Corner, b: Corner) -> f64 {
    if a.latitude == b.latitude && a.longitude == b.longitude {
        return 0.0;
    }
    let root = haversine(a, b).sqrt();
    // Rounding can lead beyond 1 between opposite positions.
    2.0 * asin(if root > 1.0 { 1.0 } else { root })
}

/// The longitudes and latitudes that name each place once, its edges aside.
const WORLD: Rect = Rect { min: Point { x: -180.0, y: -90.0 }, max: Point { x: 180.0, y: 90.0 } };

/// Whether all of a box lies within ±180° and ±90°; false where an edge is NaN.
#[inline]
pub fn is_in_world(Rect { min, max }: &Rect) -> bool {
    min.x >= WORLD.min.x && max.x <= WORLD.max.x && min.y >= WORLD.min.y && max.y <= WORLD.max.y
}

/// The name within ±180° and ±90° of a place.
#[inline]
fn normalized(p: Point) -> Point {
    if WORLD.contains_point(p) || !(p.x.is_finite() && p.y.is_finite()) {
        return p;
    }
    let turn = p.y.rem_euclid(360.0);
    let (x, y) = match turn {
        _ if turn > 270.0 => (p.x, turn - 360.0),
        _ if turn > 90.0 => (p.x + 180.0, 180.0 - turn), // beyond a pole
        _ => (p.x, turn),
    };
    let is_beyond = !(-180.0..=180.0).contains(&x);
    Point::new(if is_beyond { (x + 180.0).rem_euclid(360.0) - 180.0 } else { x }, y)
}

impl Origin {
    /// Prepares distances from a position.
    pub fn new(point: Point) -> Self {
        let point = normalized(point);
        let latitude = radians(point.y);
        Origin {
            point,
            latitude,
            longitude: radians(point.x),
            sin_latitude: sin(latitude),
            cos_latitude: cos(latitude),
            tan_latitude: tan(latitude),
            is_in_world: WORLD.contains_point(point),
        }
    }

    /// The position, within ±180° and ±90°.
    pub fn point(&self) -> Point {
        self.point
    }

    /// Returns the length of a degree of longitude at the position, in degrees of latitude.
    pub fn width(&self) -> f64 {
        self.cos_latitude
    }

    /// The position on the other side of the Earth.
    pub fn antipode(&self) -> Point {
        normalized(Point::new(self.point.x + 180.0, -self.point.y))
    }

    /// The distance to another position in metres.
    pub fn to_point(&self, p: Point) -> f64 {
        EARTH_METERS * angle(Corner::of(p), self.corner())
    }

    /// The haversine of the angle to another position: it grows with the distance from 0 to 1.
    pub fn haversine_to(&self, p: Point) -> f64 {
        haversine(Corner::of(p), self.corner())
    }

    /// The distance to a box within ±180° and ±90° in metres, to the bit as Tile38 computes it.
    pub fn to_rect(&self, area: &Rect) -> f64 {
        EARTH_METERS * self.angle_to(area)
    }

    /// Returns the lesser and the greater one of the cosines of the latitudes at an angle to the
    /// south and to the north, given the angle's sine and cosine.
    fn cosines_around(&self, sine: f64, cosine: f64) -> (f64, f64) {
        let (middle, change) = (self.cos_latitude * cosine, (self.sin_latitude * sine).abs());
        (middle - change, middle + change)
    }

    fn corner(&self) -> Corner {
        let Origin { latitude, longitude, cos_latitude, .. } = *self;
        Corner { latitude, longitude, cos_latitude }
    }

    fn angle_to(&self, area: &Rect) -> f64 {
        if area.min == area.max {
            return angle(Corner::new(radians(area.min.y), radians(area.min.x)), self.corner());
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a source of pseudo-random numbers from 0 to 1, by Knuth's MMIX generator.
    pub(super) fn shares(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        }
    }

    fn rect(min_x: f64, min_y: f64, max_x: f64, max_y: f64) -> Rect {
        Rect::new(Point::new(min_x, min_y), Point::new(max_x, max_y))
    }

    #[test]
    fn distances_are_those_of_tile38_to_the_bit() {
        let origin = Origin::new(Point::new(0.0, 0.0));
        assert_eq!(origin.to_rect(&rect(10.0, 10.0, 20.0, 20.0)), 1_568_520.556_798_576);
        assert_eq!(origin.to_rect(&rect(5.0, 5.0, 5.0, 5.0)), 785_767.220_842_262_1);
        let beside = Origin::new(Point::new(50.0, 0.0)).to_rect(&rect(30.0, 0.0, 40.0, 0.0));
        assert_eq!(beside, 1_111_949.266_445_587_4);
        let query = Origin::new(Point::new(-115.0, 33.0));
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
        assert_eq!(Origin::new(Point::new(3.0, 4.0)).to_rect(&rect(3.0, 0.0, 9.0, 9.0)), 0.0);
    }

    #[test]
    fn distances_wrap_round_the_antimeridian() {
        let near = Origin::new(Point::new(179.0, 0.0)).to_rect(&rect(-179.0, -1.0, -170.0, 1.0));
        assert!((near - 222_389.85).abs() < 1.0);
    }

    #[test]
    fn a_place_has_one_name_within_the_world() {
        for (x, y, name) in [
            (190.0, 10.0, (-170.0, 10.0)),
            (-540.0, 0.0, (-180.0, 0.0)),
            (0.0, 100.0, (180.0, 80.0)),
            (30.0, -100.0, (-150.0, -80.0)),
            (30.0, 280.0, (30.0, -80.0)),
            (180.0, 90.0, (180.0, 90.0)),
        ] {
            let origin = Origin::new(Point::new(x, y));
            assert_eq!(origin.point(), Point::new(name.0, name.1));
            let far = Point::new(12.0, 34.0);
            let as_named = Corner::new(radians(y), radians(x));
            let meters = EARTH_METERS * angle(as_named, Corner::of(far));
            assert!((origin.to_point(far) - meters).abs() < 1e-6, "{x} {y}");
            assert_eq!(origin.to_point(Point::new(x, y)), 0.0);
        }
        assert!(Origin::new(Point::new(f64::NAN, 0.0)).to_point(Point::new(0.0, 0.0)).is_nan());
    }

    #[test]
    fn no_place_is_farther_than_the_antipode() {
        for step in 0..1000 {
            let p = Point::new(f64::from(step) * 0.36 - 180.0, f64::from(step % 181) - 90.0);
            let origin = Origin::new(p);
            let meters = origin.to_point(origin.antipode());
            assert!((METERS_MAX - meters).abs() < 0.2 && meters <= METERS_MAX, "{p:?} {meters}");
        }
    }
}
