//! Covers: boxes in longitude and latitude around all places within a distance.

use super::super::geodesy::EARTH_METERS;
use super::super::kernels::{asin, sin};
use super::super::{Point, Rect};
use super::{is_in_world, Origin, RADIANS, WORLD};
use arrayvec::ArrayVec;
use std::f64::consts::FRAC_PI_2;

/// Boxes that a cover has at most.
pub const COVER_BOXES_MAX: usize = 8;

/// Boxes that together hold all of an area.
pub type Cover = ArrayVec<Rect, COVER_BOXES_MAX>;

/// Keeps boxes outside of what they are drawn around, by less than a micrometre.
const RELATIVE_ALLOWANCE: f64 = 1e-12;
const ANGLE_ALLOWANCE: f64 = 1e-14;
const DEGREES_ALLOWANCE: f64 = 1e-12;

/// A box around all coordinates, also those beyond ±180° or ±90°.
pub(in super::super) const EVERYWHERE: Rect = Rect {
    min: Point { x: f64::NEG_INFINITY, y: f64::NEG_INFINITY },
    max: Point { x: f64::INFINITY, y: f64::INFINITY },
};

/// How far, in degrees, the places within a distance of an origin are from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    /// In longitude to either side; 180 around a pole.
    pub half_width: f64,
    /// In latitude.
    pub half_height: f64,
}

impl Origin {
    /// Returns how far all that is so near, in metres, spreads; `None` if nothing is near.
    pub(super) fn spread(&self, meters: f64) -> Option<Spread> {
        // A position that isn't on the Earth, or no distance.
        if !self.is_in_world || meters.is_nan() || meters <= 0.0 {
            return None;
        }
        let angle = meters / EARTH_METERS * (1.0 + RELATIVE_ALLOWANCE) + ANGLE_ALLOWANCE;
        let half_width = self.half_width(angle, sin(angle));
        Some(Spread {
            half_width: half_width.map_or(WORLD.max.x, |half| half + DEGREES_ALLOWANCE),
            half_height: angle / RADIANS,
        })
    }

    /// Returns the boxes within ±180° and ±90° around all within a spread: two across the
    /// antimeridian, one that reaches from -180° to 180° around a pole.
    pub(super) fn cover(&self, spread: Option<Spread>) -> Cover {
        let mut cover = Cover::new();
        let Some(Spread { half_width, half_height }) = spread else {
            cover.push(Rect::new(self.point, self.point));
            return cover;
        };
        let Rect { mut min, mut max } = around(self.point, half_width, half_height);
        min.y = min.y.max(WORLD.min.y);
        max.y = max.y.min(WORLD.max.y);
        if half_width >= WORLD.max.x {
            (min.x, max.x) = (WORLD.min.x, WORLD.max.x);
        } else if min.x < WORLD.min.x {
            cover.push(Rect::new(Point::new(min.x + 360.0, min.y), Point::new(WORLD.max.x, max.y)));
            min.x = WORLD.min.x;
        } else if max.x > WORLD.max.x {
            cover.push(Rect::new(Point::new(WORLD.min.x, min.y), Point::new(max.x - 360.0, max.y)));
            max.x = WORLD.max.x;
        }
        cover.push(Rect::new(min, max));
        cover
    }

    /// Returns how many degrees to either side all within an angle lies, given the angle's sine;
    /// `None` around a pole.
    pub(super) fn half_width(&self, angle: f64, sine: f64) -> Option<f64> {
        let has_pole = self.latitude.abs() + angle >= FRAC_PI_2;
        if has_pole || angle.is_nan() {
            return None;
        }
        // The meridians that touch a circle: sin Δλ = sin r ÷ cos φ.
        let half_width = asin(sine / self.cos_latitude) / RADIANS;
        (!half_width.is_nan()).then_some(half_width)
    }
}

pub(super) fn around(center: Point, half_width: f64, half_height: f64) -> Rect {
    Rect::new(
        Point::new(center.x - half_width, center.y - half_height),
        Point::new(center.x + half_width, center.y + half_height),
    )
}

/// Returns the boxes under each of their names within `all`. A place has several names, which are
/// pairs of coordinates, where coordinates go beyond ±180° or ±90°.
pub fn named_within(cover: Cover, all: &Rect) -> Cover {
    if is_in_world(all) && cover.iter().all(is_in_world) {
        return cover;
    }
    let mut named = Cover::new();
    for bounds in cover {
        for bounds in named_beyond_poles(bounds, all) {
            for bounds in shifted(bounds, all) {
                if named.try_push(bounds).is_err() {
                    return Cover::from_iter([EVERYWHERE]);
                }
            }
        }
    }
    named
}

/// The box itself and, if it or `all` goes beyond a pole, as it is called from there.
fn named_beyond_poles(bounds: Rect, all: &Rect) -> ArrayVec<Rect, 3> {
    let mut found = ArrayVec::from_iter([bounds]);
    let both = all.union(&bounds);
    for (is_beyond, twice_pole) in [(both.max.y > 90.0, 180.0), (both.min.y < -90.0, -180.0)] {
        if is_beyond {
            found.push(Rect::new(
                Point::new(bounds.min.x + 180.0, twice_pole - bounds.max.y),
                Point::new(bounds.max.x + 180.0, twice_pole - bounds.min.y),
            ));
        }
    }
    if both.max.y > 270.0 || both.min.y < -270.0 {
        found[0] = EVERYWHERE; // once round and farther
    }
    found
}

/// The box moved by whole turns to wherever it overlaps `all`.
fn shifted(bounds: Rect, all: &Rect) -> impl Iterator<Item = Rect> {
    let first = ((all.min.x - bounds.max.x) / 360.0).ceil();
    let last = ((all.max.x - bounds.min.x) / 360.0).floor();
    let is_everywhere = bounds == EVERYWHERE || !(first.is_finite() && last.is_finite());
    let count = if is_everywhere { 1 } else { (last - first + 1.0).max(0.0) as usize };
    (0..count).map(move |turn| {
        if is_everywhere {
            return EVERYWHERE;
        }
        let shift = (first + turn as f64) * 360.0;
        Rect::new(
            Point::new(bounds.min.x + shift, bounds.min.y),
            Point::new(bounds.max.x + shift, bounds.max.y),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::shares;
    use super::*;

    #[test]
    fn a_cover_holds_all_that_is_near_by_whatever_name() {
        let mut share = shares(11);
        for round in 0..100_000 {
            let center = Point::new(share() * 360.0 - 180.0, share() * 180.0 - 90.0);
            let meters = 10.0_f64.powf(share() * 7.4);
            let from = Origin::new(center);
            let reach = [0.0, 1.0, 3.0][round % 3];
            let p = Point::new(
                center.x + (share() - 0.5) * 360.0 * reach,
                center.y + (share() - 0.5) * 180.0 * reach,
            );
            if from.to_point(p) > meters {
                continue;
            }
            let all = WORLD.union(&Rect::new(p, p));
            let cover = named_within(from.cover(from.spread(meters)), &all);
            let is_held = cover.iter().any(|bounds| bounds.contains_point(p));
            assert!(is_held, "{center:?} {meters} {p:?} {cover:?}");
        }
    }

    #[test]
    fn a_cover_has_two_boxes_across_the_antimeridian_and_one_around_a_pole() {
        let at = |x: f64, y: f64, meters: f64| {
            let from = Origin::new(Point::new(x, y));
            from.cover(from.spread(meters))
        };
        let sides: Vec<(f64, f64)> =
            at(179.9, 0.0, 50_000.0).iter().map(|bounds| (bounds.min.x, bounds.max.x)).collect();
        assert_eq!((sides[0].0, sides[1].1), (-180.0, 180.0));
        assert!(sides[0].1 < -179.6 && sides[1].0 > 179.4, "{sides:?}");
        let pole = at(10.0, 89.0, 200_000.0);
        assert_eq!(pole.len(), 1);
        assert_eq!((pole[0].min.x, pole[0].max.x, pole[0].max.y), (-180.0, 180.0, 90.0));
        assert!((pole[0].min.y - 87.2).abs() < 0.01);
        assert_eq!(at(0.0, 0.0, f64::INFINITY).as_slice(), [WORLD]);
        let everything = Rect::new(Point::new(-1e9, 0.0), Point::new(1e9, 1.0));
        assert_eq!(named_within(at(0.0, 0.0, 9.0), &everything).as_slice(), [EVERYWHERE]);
    }
}
