//! Distances of NEARBY: from a position to a box over the sphere, 0 inside it.

use super::geodesy::{self, EARTH_METERS};
use super::kernels::{asin, cos, sin, tan};
use super::{Point, Rect};
use std::f64::consts::{FRAC_PI_2, PI};

const RADIANS: f64 = PI / 180.0;

/// To the bit what Tile38 computes.
fn radians(degrees: f64) -> f64 {
    degrees * PI / 180.0
}

/// A query position with what its distances share computed once.
#[derive(Clone, Copy, Debug)]
pub struct From {
    point: Point,
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

/// Keep bounds of distances outside of those that are computed exactly, whatever is rounded.
const ROUNDING_ALLOWANCE: f64 = 1e-12;
const ROUNDING_METERS: f64 = 1e-6;

/// Keeps windows outside of what they are drawn around, in radians: a few centimetres.
const WINDOW_ALLOWANCE: f64 = 1e-8;

/// Between which distances something lies.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Between {
    pub least: f64,
    pub most: f64,
}

impl From {
    /// Prepares distances from a position.
    pub fn new(point: Point) -> Self {
        let latitude = radians(point.y);
        From {
            point,
            latitude,
            longitude: radians(point.x),
            cos_latitude: cos(latitude),
            tan_latitude: tan(latitude),
            is_in_world: WORLD.contains_point(point),
        }
    }

    /// The position.
    pub fn point(&self) -> Point {
        self.point
    }

    /// A box outside of which nothing within `all` is so near, in metres. `None` where it would
    /// hold a pole, cross the antimeridian, or where `all` goes beyond.
    pub fn window(&self, all: &Rect, meters: f64) -> Option<Rect> {
        let angle = meters / EARTH_METERS * (1.0 + WINDOW_ALLOWANCE) + WINDOW_ALLOWANCE;
        let has_pole = self.latitude.abs() + angle >= FRAC_PI_2;
        if !(self.is_in_world && WORLD.contains(all)) || angle.is_nan() || has_pole {
            return None;
        }
        // The meridians that touch a circle: sin Δλ = sin r ÷ cos φ.
        let turn = asin(sin(angle) / self.cos_latitude);
        let half = Point::new((turn + WINDOW_ALLOWANCE) / RADIANS, angle / RADIANS);
        let Point { x, y } = self.point;
        let window =
            Rect::new(Point::new(x - half.x, y - half.y), Point::new(x + half.x, y + half.y));
        WORLD.contains(&window).then_some(window)
    }

    /// The distance to a box in metres.
    pub fn to_rect(&self, area: &Rect) -> f64 {
        EARTH_METERS * self.angle_to(area)
    }

    /// The distance to another position in metres, the same as to the box around it.
    pub fn to_point(&self, p: Point) -> f64 {
        EARTH_METERS * angle(Corner::new(radians(p.y), radians(p.x)), self.corner())
    }

    /// Between which distances in metres everything in the box lies; cheap rather than close, but
    /// close for small boxes nearby. By haversines:
    /// sin²(d/2) = sin²(Δφ/2) + cos φ·cos φ'·sin²(Δλ/2), where x ≥ sin x ≥ x − x³/6, and
    /// cosines differ no more than their angles do. Where boxes
    /// are tall, the distance to a meridian is the better bound below.
    pub fn to_rect_between(&self, area: &Rect) -> Between {
        if !(WORLD.contains(area) && self.is_in_world) {
            // Angles that wrap around have no such bounds.
            return Between { least: f64::NEG_INFINITY, most: f64::INFINITY };
        }
        // A digit less than `radians` has, but no division.
        let (south, north) = (area.min.y * RADIANS, area.max.y * RADIANS);
        let (west, east) = (area.min.x * RADIANS, area.max.x * RADIANS);
        let (to_south, to_north) = (south - self.latitude, self.latitude - north);
        let rise = to_south.max(to_north).max(0.0);
        let rise_most = (-to_south).max(-to_north);
        let full_turn = |angle: f64| if angle < 0.0 { angle + 2.0 * PI } else { angle };
        let is_above = west <= self.longitude && self.longitude <= east;
        let turn = full_turn(west - self.longitude).min(full_turn(self.longitude - east));
        let turn = if is_above { 0.0 } else { turn };
        let turn_most = (turn + (east - west)).min(PI);
        let low_sine = |angle: f64| angle - angle * angle * angle / 6.0;
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
        // asin x ÷ x is convex in x², so it lies below its chord from 0 to 1.
        let most = 2.0 * square.sqrt() * (1.0 + (FRAC_PI_2 - 1.0) * square);
        Between {
            least: EARTH_METERS * least * (1.0 - ROUNDING_ALLOWANCE) - ROUNDING_METERS,
            most: EARTH_METERS * most.min(PI) * (1.0 + ROUNDING_ALLOWANCE) + ROUNDING_METERS,
        }
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
    fn distances_within_a_box_lie_between_its_bounds() {
        let mut state = 1_u64;
        let mut degrees = |most: f64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((state >> 33) as f64 / (1_u64 << 30) as f64 - 1.0) * most
        };
        for round in 0..200_000 {
            let most = if round % 10 == 0 { 400.0 } else { 180.0 };
            let center = Point::new(degrees(most), degrees(most / 2.0));
            let from = From::new(center);
            let corner = match round % 7 {
                0 => Point::new(center.x + degrees(1e-6), center.y + degrees(1e-6)),
                _ => Point::new(degrees(180.0), degrees(90.0)),
            };
            let size = [0.0, 1e-7, 1e-3, 20.0][round % 4] * degrees(1.0).abs();
            let area = Rect::new(corner, Point::new(corner.x + size, corner.y + size / 2.0));
            let between = from.to_rect_between(&area);
            assert!(between.least <= from.to_rect(&area), "{from:?} {area:?} {between:?}");
            for (right, up) in [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.3)] {
                let inside = Point::new(corner.x + size * right, corner.y + size / 2.0 * up);
                let distance = from.to_point(inside);
                assert!(between.least <= distance, "{from:?} {area:?} {between:?}");
                assert!(distance <= between.most, "{from:?} {area:?} {between:?}");
            }
        }
    }

    #[test]
    fn what_is_outside_of_a_window_is_farther_away() {
        let mut state = 7_u64;
        let mut share = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        };
        let mut drawn = 0;
        for _ in 0..100_000 {
            let center = Point::new(share() * 360.0 - 180.0, share() * 180.0 - 90.0);
            let meters = 10.0_f64.powf(share() * 7.0);
            let from = From::new(center);
            let Some(window) = from.window(&WORLD, meters) else { continue };
            drawn += 1;
            let (width, height) = (window.max.x - window.min.x, window.max.y - window.min.y);
            let at =
                |x: f64, y: f64| Point::new(window.min.x + x * width, window.min.y + y * height);
            for point in [at(-1e-9, share()), at(1.0 + 1e-9, share()), at(share(), -1e-9)] {
                assert!(from.to_point(point) > meters, "{center:?} {meters} {point:?}");
            }
        }
        assert!(drawn > 50_000, "{drawn}");
    }

    #[test]
    fn there_is_no_window_at_a_pole_or_across_the_antimeridian() {
        let meters = 100_000.0;
        assert!(From::new(Point::new(0.0, 89.5)).window(&WORLD, meters).is_none());
        assert!(From::new(Point::new(179.9, 0.0)).window(&WORLD, meters).is_none());
        let beyond = rect(-180.0, -90.0, 540.0, 90.0);
        assert!(From::new(Point::new(1.0, 1.0)).window(&beyond, meters).is_none());
        assert!(From::new(Point::new(1.0, 1.0)).window(&WORLD, f64::INFINITY).is_none());
    }

    #[test]
    fn bounds_of_small_boxes_nearby_are_close() {
        let from = From::new(Point::new(33.0, 52.0));
        let area = rect(33.2, 52.1, 33.200_001, 52.100_001);
        let (between, exact) = (from.to_rect_between(&area), from.to_rect(&area));
        assert!(between.least > exact * 0.998 && between.most < exact * 1.002, "{between:?}");
    }
}
