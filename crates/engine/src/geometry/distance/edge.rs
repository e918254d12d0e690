//! One edge as seen from a position: which of its places is nearest, and whether any is beyond a
//! distance. The edge is straight in longitude and latitude, so the haversine along it is a sum
//! of sinusoids: convex where the edge is near, otherwise searched piece by piece with bounds on
//! its derivatives, so that no minimum is missed.

use super::super::kernels::sin_cos;
use super::super::Point;
use super::plane::share_nearest;
use super::{Origin, RADIANS};
use arrayvec::ArrayVec;
use std::f64::consts::PI;

/// An edge no part of which is farther than this many times the cosine of the origin's latitude,
/// in radians, has a convex haversine. Its second derivative along the edge is at least
/// s²·cos D − 2·|δ·sin φ|·s·sin D (s: speed on the sphere, δ: in longitude, D: distance), and
/// s ≥ |δ|·cos φ; so it is positive if tan D < cos φ ÷ 2, for which D ≤ 0.3·cos φ₀ is enough.
const CONVEX_SHARE: f64 = 0.3;

/// Steps of Newton's method end when they are shorter than this, in radians. The next one would be
/// about its square, and change a distance by the square of that.
const STEP_MIN: f64 = 1e-6;
const STEPS_MAX: usize = 60;

/// A piece shorter than this, in radians, is as good as a place.
const PIECE_MIN: f64 = 1e-8;
/// Pieces of one edge that are looked at. Only edges that wind round the Earth many times, such
/// as none on a map, have more.
const PIECES_MAX: usize = 1000;
/// A bisection holds one piece for each halving, and 60 of them leave nothing to halve.
const PIECES_WAITING_MAX: usize = 64;

/// An edge, in radians from the origin.
pub(super) struct Edge<'o> {
    origin: &'o Origin,
    latitude: f64,
    longitude: f64,
    north: f64,
    east: f64,
    length: f64,
}

/// The haversine at a place of the edge and its derivatives along the edge.
#[derive(Clone, Copy)]
struct Value {
    haversine: f64,
    slope: f64,
    bend: f64,
    cos_latitude: f64,
}

/// Where on an edge, from 0 to 1, and the haversine there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub share: f64,
    pub haversine: f64,
}

impl<'o> Edge<'o> {
    pub fn new(origin: &'o Origin, a: Point, b: Point) -> Self {
        let (north, east) = ((b.y - a.y) * RADIANS, (b.x - a.x) * RADIANS);
        let latitude = a.y * RADIANS - origin.latitude;
        let mut longitude = a.x * RADIANS - origin.longitude;
        let middle = longitude + 0.5 * east;
        if middle.abs() > PI {
            longitude -= (middle / (2.0 * PI)).round() * 2.0 * PI;
        }
        let length = (north * north + east * east).sqrt();
        Edge { origin, latitude, longitude, north, east, length }
    }

    /// The nearest place with a haversine below the limit, if there is one.
    pub fn nearest(&self, limit: f64) -> Option<Place> {
        let nearest = if self.length == 0.0 {
            Place { share: 0.0, haversine: self.value(0.0).haversine }
        } else if self.is_convex() {
            self.descend(0.0, 1.0, self.guess())
        } else {
            return self.nearest_of_pieces(limit);
        };
        (nearest.haversine < limit).then_some(nearest)
    }

    /// Where it is nearest on a plane that fits the latitude halfway to its nearer end.
    fn guess(&self) -> f64 {
        let Origin { sin_latitude, cos_latitude, .. } = self.origin;
        let (first, last) = (self.latitude, self.latitude + self.north);
        let rise = if first.abs() < last.abs() { first } else { last };
        let cos_there = cos_latitude - sin_latitude * rise;
        let width = (cos_latitude * cos_there).max(0.0).sqrt();
        share_nearest(self.longitude * width, first, self.east * width, self.north)
    }

    /// Whether some place between the ends has a haversine above the limit, given that neither end
    /// has. What is less than a nanometre above counts as within.
    pub fn exceeds(&self, limit: f64) -> bool {
        if self.length == 0.0 || self.is_convex() {
            return false; // a convex function is greatest at an end
        }
        self.search(|piece, value| {
            if value.haversine > limit {
                return Look::Found;
            }
            let most = value.haversine + self.change_max(piece, value);
            if most <= limit || piece.half * self.length < PIECE_MIN {
                Look::Done
            } else {
                Look::Closer
            }
        })
    }

    /// Whether the haversine is convex along all of the edge. No place of it is farther than both
    /// ends would be on a plane.
    fn is_convex(&self) -> bool {
        let square = |latitude: f64, longitude: f64| latitude * latitude + longitude * longitude;
        let first = square(self.latitude, self.longitude);
        let last = square(self.latitude + self.north, self.longitude + self.east);
        let reach = CONVEX_SHARE * self.origin.cos_latitude;
        first.max(last) <= reach * reach
    }

    #[inline]
    fn value(&self, share: f64) -> Value {
        let Origin { sin_latitude, cos_latitude, .. } = self.origin;
        let (north, east) = (self.north, self.east);
        let (s, c) = sin_cos(0.5 * (self.latitude + share * north));
        let (w, v) = sin_cos(0.5 * (self.longitude + share * east));
        let (sin_rise, cos_rise) = (2.0 * s * c, 1.0 - 2.0 * s * s);
        let sin_here = sin_latitude * cos_rise + cos_latitude * sin_rise;
        let cos_here = cos_latitude * cos_rise - sin_latitude * sin_rise;
        let (square, product) = (w * w, w * v);
        Value {
            haversine: s * s + cos_latitude * cos_here * square,
            slope: 0.5 * north * sin_rise
                + cos_latitude * (east * cos_here * product - north * sin_here * square),
            bend: 0.5 * north * north * cos_rise
                + cos_latitude
                    * (0.5 * east * east * cos_here * (v * v - square)
                        - north * north * cos_here * square
                        - 2.0 * north * east * sin_here * product),
            cos_latitude: cos_here,
        }
    }

    /// The least value between two shares where the haversine is convex, by Newton's method; a
    /// step that leaves what is still possible is replaced by a bisection.
    fn descend(&self, start: f64, end: f64, guess: f64) -> Place {
        let (mut low, mut high) = (start, end);
        let (mut is_low_tried, mut is_high_tried) = (false, false);
        let mut share = guess.clamp(start, end);
        let mut haversine = f64::INFINITY;
        for _ in 0..STEPS_MAX {
            let value = self.value(share);
            haversine = value.haversine;
            let is_at_end = if value.slope > 0.0 { share <= start } else { share >= end };
            if is_at_end || value.slope == 0.0 {
                break;
            }
            if value.slope > 0.0 {
                (high, is_high_tried) = (share, true);
            } else {
                (low, is_low_tried) = (share, true);
            }
            let next = (share - value.slope / value.bend).clamp(start, end);
            let step = next - share;
            if step.abs() * self.length < STEP_MIN {
                // What the step changes, by the tangent and half the bend.
                haversine += step * (value.slope + 0.5 * step * value.bend);
                share = next;
                break;
            }
            let is_left = (next <= low && is_low_tried) || (next >= high && is_high_tried);
            share = if is_left || next.is_nan() { 0.5 * (low + high) } else { next };
        }
        Place { share, haversine: haversine.max(0.0) }
    }

    fn nearest_of_pieces(&self, limit: f64) -> Option<Place> {
        let mut best = Place { share: 0.0, haversine: limit };
        for share in [0.0, 1.0] {
            best.take(Place { share, haversine: self.value(share).haversine });
        }
        self.search(|piece, value| {
            if value.haversine - self.change_max(piece, value) >= best.haversine {
                return Look::Done;
            }
            best.take(Place { share: piece.middle, haversine: value.haversine });
            let (start, end) = (piece.middle - piece.half, piece.middle + piece.half);
            let at = |share: f64| Place { share, haversine: self.value(share).haversine };
            let bend_change = self.bend_change_max(piece, value) * piece.half;
            if value.slope.abs() >= self.bend_max(piece, value) * piece.half {
                best.take(at(if value.slope > 0.0 { start } else { end }));
            } else if value.bend > bend_change {
                best.take(self.descend(start, end, piece.middle));
            } else if value.bend < -bend_change {
                best.take(at(start));
                best.take(at(end));
            } else if piece.half * self.length >= PIECE_MIN {
                return Look::Closer;
            }
            Look::Done
        });
        (best.haversine < limit).then_some(best)
    }

    /// Calls `look` with the edge, then with both halves of each piece for which it returns
    /// `Closer`. Returns whether it returned `Found`, which ends the search.
    fn search(&self, mut look: impl FnMut(&Piece, &Value) -> Look) -> bool {
        let mut waiting = ArrayVec::<Piece, PIECES_WAITING_MAX>::new();
        waiting.push(Piece { middle: 0.5, half: 0.5 });
        for _ in 0..PIECES_MAX {
            let Some(piece) = waiting.pop() else { break };
            match look(&piece, &self.value(piece.middle)) {
                Look::Found => return true,
                Look::Done => {}
                Look::Closer => {
                    let half = 0.5 * piece.half;
                    for middle in [piece.middle - half, piece.middle + half] {
                        if waiting.try_push(Piece { middle, half }).is_err() {
                            return false;
                        }
                    }
                }
            }
        }
        false
    }

    /// By how much the haversine differs within a piece from that in its middle, at most.
    fn change_max(&self, piece: &Piece, value: &Value) -> f64 {
        piece.half * (value.slope.abs() + 0.5 * self.bend_max(piece, value) * piece.half)
    }

    /// The greatest speed on the sphere within a piece: s² = β² + δ²·cos² φ.
    fn speed_max(&self, piece: &Piece, value: &Value) -> f64 {
        let cos_most = (value.cos_latitude.abs() + self.north.abs() * piece.half).min(1.0);
        let (north, east) = (self.north, self.east * cos_most);
        (north * north + east * east).sqrt()
    }

    /// The greatest second derivative within a piece: half of s² + 2·|δ|·s, see [`CONVEX_SHARE`].
    fn bend_max(&self, piece: &Piece, value: &Value) -> f64 {
        let speed = self.speed_max(piece, value);
        speed * (0.5 * speed + self.east.abs())
    }

    /// The greatest third derivative within a piece: half of s³ + 4·s·(|β| + |δ|)².
    fn bend_change_max(&self, piece: &Piece, value: &Value) -> f64 {
        let speed = self.speed_max(piece, value);
        let frequency = self.north.abs() + self.east.abs();
        speed * (0.5 * speed * speed + 2.0 * frequency * frequency)
    }
}

impl Place {
    fn take(&mut self, other: Place) {
        if other.haversine < self.haversine {
            *self = other;
        }
    }
}

/// Part of an edge: its middle and half its length as shares of the edge.
struct Piece {
    middle: f64,
    half: f64,
}

/// The verdict on a piece of an edge.
enum Look {
    Found,
    Done,
    Closer,
}

#[cfg(test)]
mod tests {
    use super::super::super::geodesy::EARTH_METERS;
    use super::super::plane::place;
    use super::*;
    use proptest::prelude::*;

    /// Places on the edge, evenly spaced.
    const SAMPLES: usize = 4000;

    /// Least and greatest haversine along an edge, by dense sampling with refinement.
    fn sampled(origin: &Origin, a: Point, b: Point) -> (f64, f64) {
        let at = |share: f64| origin.haversine_to(place(a, b, share));
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        let (mut least_at, mut most_at) = (0.0, 0.0);
        for step in 0..=SAMPLES {
            let share = step as f64 / SAMPLES as f64;
            let value = at(share);
            if value < least {
                (least, least_at) = (value, share);
            }
            if value > most {
                (most, most_at) = (value, share);
            }
        }
        let refine = |middle: f64, is_better: &dyn Fn(f64, f64) -> bool| {
            let (mut low, mut high) = (
                (middle - 1.0 / SAMPLES as f64).max(0.0),
                (middle + 1.0 / SAMPLES as f64).min(1.0),
            );
            for _ in 0..80 {
                let (left, right) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
                if is_better(at(left), at(right)) {
                    high = right;
                } else {
                    low = left;
                }
            }
            at(0.5 * (low + high))
        };
        let least = least.min(refine(least_at, &|left, right| left < right));
        (least, most.max(refine(most_at, &|left, right| left > right)))
    }

    fn position() -> impl Strategy<Value = Point> {
        prop_oneof![
            4 => (-180.0..180.0_f64, -90.0..90.0_f64),
            1 => (-180.0..180.0_f64, prop_oneof![88.0..90.0_f64, -90.0..-88.0_f64]),
            1 => (prop_oneof![Just(180.0), Just(-180.0), -200.0..200.0_f64], -90.0..90.0_f64),
            1 => (Just(0.0), prop_oneof![Just(90.0), Just(-90.0), Just(0.0)]),
        ]
        .prop_map(|(x, y)| Point::new(x, y))
    }

    /// An edge of any length, some near the origin.
    fn case() -> impl Strategy<Value = (Point, Point, Point)> {
        let size = prop::sample::select(vec![1e-5, 1e-3, 0.1, 3.0, 60.0]);
        let near = (position(), size, -1.0..1.0_f64, -1.0..1.0_f64, -1.0..1.0_f64, -1.0..1.0_f64)
            .prop_map(|(origin, size, x, y, east, north)| {
                let limit = |y: f64| y.clamp(-90.0, 90.0);
                let a = Point::new(origin.x + x * size, limit(origin.y + y * size));
                (origin, a, Point::new(a.x + east * size, limit(a.y + north * size)))
            });
        prop_oneof![near, (position(), position(), position())]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn the_nearest_and_the_farthest_place_are_those_that_sampling_finds(
            (origin, a, b) in case(),
        ) {
            let origin = Origin::new(origin);
            let edge = Edge::new(&origin, a, b);
            let (least, most) = sampled(&origin, a, b);
            let found = edge.nearest(2.0).unwrap();
            let meters = origin.to_point(place(a, b, found.share));
            let expected = 2.0 * EARTH_METERS * least.sqrt().asin();
            let slack = 1e-9 * expected + 1e-6;
            prop_assert!((meters - expected).abs() <= slack, "{meters} {expected}");
            prop_assert!((found.haversine - least).abs() <= 1e-9 * least + 1e-16);
            prop_assert!(least < 1e-14 || edge.nearest(least * (1.0 - 1e-6)).is_none());

            let ends = [a, b].map(|end| origin.haversine_to(end));
            let end_most = ends[0].max(ends[1]);
            prop_assert!(!edge.exceeds(most * (1.0 + 1e-9) + 1e-15));
            if most > end_most * (1.0 + 1e-6) + 1e-12 {
                prop_assert!(edge.exceeds(end_most + 0.5 * (most - end_most)));
            }
        }
    }

    #[test]
    fn an_edge_along_a_parallel_is_left_for_its_ends_near_a_pole() {
        let origin = Origin::new(Point::new(0.0, 89.0));
        let edge = Edge::new(&origin, Point::new(90.0, 89.9), Point::new(270.0, 89.9));
        // In the middle it is farther away than at both ends, which are on the near side.
        assert!(edge.exceeds(origin.haversine_to(Point::new(90.0, 89.9))));
        let nearest = edge.nearest(1.0).unwrap();
        assert!(nearest.share == 0.0 || nearest.share == 1.0, "{nearest:?}");
    }

    #[test]
    fn an_edge_that_winds_round_the_earth_for_ever_ends_the_search() {
        let origin = Origin::new(Point::new(0.0, 1.0));
        for far in [1e6, 1e300, f64::MAX] {
            let edge = Edge::new(&origin, Point::new(-far, -far), Point::new(far, far));
            assert!(edge.nearest(2.0).is_none_or(|place| place.haversine < 2.0));
            assert!(!edge.exceeds(2.0));
        }
    }
}
