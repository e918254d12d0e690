//! Windows: boxes outside of which nothing is within a distance. Four comparisons exclude most of
//! the boxes beyond; within a small window a few multiplications give bounds of distances.

use super::super::geodesy::EARTH_METERS;
use super::super::kernels::sin_cos;
use super::super::{Point, Rect};
use super::bounds::{high_angle, low_sine, ROUNDING_METERS};
use super::cover::around;
use super::{is_in_world, Origin, RADIANS};

/// Keeps windows outside of what they are drawn around, in radians: a few centimetres.
const WINDOW_ALLOWANCE: f64 = 1e-8;
/// Where the lower bound of a cosine in a window is a smaller share of the upper one, bounds of
/// distances would be too wide.
const CLOSE_SHARE: f64 = 0.9;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    bounds: Rect,
    scale: Option<Scale>,
}

/// Bounds of distances within a window, by
/// sin²(d/2) = sin²(Δφ/2) + cos φ·cos φ'·sin²(Δλ/2), with cos φ' between the chord and the tangent
/// of the cosine in the window, and x ≥ sin x ≥ x·(1 − h²/6) for 0 ≤ x ≤ h.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    origin: Point,
    /// How far the window reaches to the north and to the south.
    half_height: f64,
    least_width: Width,
    most_width: Width,
    /// Metres in a degree, as few as there may be.
    least_meters: f64,
}

/// The square of the length of a degree of longitude, in degrees of latitude: a linear function of
/// the degrees to the north of the origin.
#[derive(Clone, Copy, Debug)]
struct Width {
    at_origin: f64,
    slope: f64,
}

impl Width {
    #[inline]
    fn at(&self, north: f64) -> f64 {
        self.at_origin + self.slope * north
    }
}

/// Returns the greater one of two numbers; unlike `f64::max`, by one operation.
#[inline]
fn greater(a: f64, b: f64) -> f64 {
    if a > b {
        a
    } else {
        b
    }
}

#[inline]
fn lesser(a: f64, b: f64) -> f64 {
    if a < b {
        a
    } else {
        b
    }
}

impl Window {
    /// A window that knows no distances.
    pub fn new(bounds: Rect) -> Self {
        Window { bounds, scale: None }
    }

    /// The box.
    pub fn bounds(&self) -> &Rect {
        &self.bounds
    }

    /// Bounds of distances within the window; `None` where they aren't known.
    #[inline]
    pub fn scale(&self) -> Option<&Scale> {
        self.scale.as_ref()
    }
}

impl Scale {
    /// Returns a lower bound of the distance, in metres, of everything that is both in the box and
    /// in the window.
    #[inline]
    pub fn least(&self, area: &Rect) -> f64 {
        let Point { x, y } = self.origin;
        let (to_south, to_north) = (area.min.y - y, area.max.y - y);
        let east = greater(greater(area.min.x - x, x - area.max.x), 0.0);
        let north = greater(greater(to_south, -to_north), 0.0);
        let narrowest = if self.least_width.slope < 0.0 { to_north } else { to_south };
        let narrowest = lesser(greater(narrowest, -self.half_height), self.half_height);
        let width = greater(self.least_width.at(narrowest), 0.0);
        (north * north + width * east * east).sqrt() * self.least_meters - ROUNDING_METERS
    }

    /// Returns an upper bound of the distance, in metres, of everything in the box, which has to
    /// lie in the window.
    #[inline]
    pub fn most(&self, area: &Rect) -> f64 {
        let Point { x, y } = self.origin;
        let (to_south, to_north) = (area.min.y - y, area.max.y - y);
        let east = greater(x - area.min.x, area.max.x - x);
        let north = greater(to_north, -to_south);
        let widest = if self.most_width.slope < 0.0 { to_south } else { to_north };
        let square = north * north + self.most_width.at(widest) * east * east;
        EARTH_METERS * high_angle(0.25 * RADIANS * RADIANS * square) + ROUNDING_METERS
    }
}

impl Origin {
    /// A box outside of which nothing within `all` is so near, in metres. `None` where it would
    /// hold a pole, cross the antimeridian, or where `all` goes beyond.
    pub fn window(&self, all: &Rect, meters: f64) -> Option<Window> {
        let angle = meters / EARTH_METERS * (1.0 + WINDOW_ALLOWANCE) + WINDOW_ALLOWANCE;
        if !(self.is_in_world && is_in_world(all)) {
            return None;
        }
        let (sine, cosine) = sin_cos(angle);
        let half_width = self.half_width(angle, sine)? + WINDOW_ALLOWANCE / RADIANS;
        let half_height = angle / RADIANS;
        let bounds = around(self.point, half_width, half_height);
        is_in_world(&bounds).then(|| {
            let scale = self.scale((sine, cosine), half_width, half_height);
            Window { bounds, scale }
        })
    }

    fn scale(
        &self,
        (sine, cosine): (f64, f64),
        half_width: f64,
        half_height: f64,
    ) -> Option<Scale> {
        let Origin { sin_latitude, cos_latitude, .. } = *self;
        let half = 0.5 * RADIANS * half_width.max(half_height);
        let shrink = low_sine(half) / half;
        // At the end of the window that is nearest to a pole, where the bounds differ most.
        let (cos_least, _) = self.cosines_around(sine, cosine);
        let cos_most = cos_latitude - sin_latitude.abs() * RADIANS * half_height;
        let width = |at_origin: f64, slope: f64| Width {
            at_origin: at_origin * cos_latitude,
            slope: -sin_latitude * slope * cos_latitude,
        };
        (cos_least * shrink >= cos_most.abs() * CLOSE_SHARE).then_some(Scale {
            origin: self.point,
            half_height,
            least_width: width(cos_latitude * cosine, sine / half_height),
            most_width: width(cos_latitude, RADIANS),
            least_meters: EARTH_METERS * RADIANS * shrink * (1.0 - WINDOW_ALLOWANCE),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::shares;
    use super::super::WORLD;
    use super::*;

    #[test]
    fn positions_outside_of_a_window_are_farther_away() {
        let mut share = shares(7);
        let mut drawn = 0;
        for _ in 0..100_000 {
            let center = Point::new(share() * 360.0 - 180.0, share() * 180.0 - 90.0);
            let meters = 10.0_f64.powf(share() * 7.0);
            let from = Origin::new(center);
            let Some(window) = from.window(&WORLD, meters) else { continue };
            drawn += 1;
            let Rect { min, max } = *window.bounds();
            let at = |x: f64, y: f64| {
                Point::new(min.x + x * (max.x - min.x), min.y + y * (max.y - min.y))
            };
            for point in [at(-1e-9, share()), at(1.0 + 1e-9, share()), at(share(), -1e-9)] {
                assert!(from.to_point(point) > meters, "{center:?} {meters} {point:?}");
            }
        }
        assert!(drawn > 50_000, "{drawn}");
    }

    #[test]
    fn boxes_in_a_window_lie_between_its_bounds() {
        let mut share = shares(13);
        let (mut known, mut close) = (0, 0);
        for _ in 0..100_000 {
            let center = Point::new(share() * 360.0 - 180.0, share() * 180.0 - 90.0);
            let meters = 10.0_f64.powf(share() * 6.5);
            let from = Origin::new(center);
            let Some(window) = from.window(&WORLD, meters) else { continue };
            let Rect { min, max } = *window.bounds();
            let mut at =
                || Point::new(min.x + share() * (max.x - min.x), min.y + share() * (max.y - min.y));
            let (a, b) = (at(), at());
            let Some(scale) = window.scale() else { continue };
            let area = Rect::around(&[a, b]);
            let (least, most) = (scale.least(&area), scale.most(&area));
            for p in [a, b, Point::new(a.x, b.y), Point::new(b.x, a.y)] {
                let distance = from.to_point(p);
                let is_between = least <= distance && distance <= most;
                assert!(is_between, "{center:?} {a:?} {b:?} {least} {most} {distance}");
            }
            let exact = from.to_point(a);
            let (least, most) = (scale.least(&Rect::new(a, a)), scale.most(&Rect::new(a, a)));
            known += 1;
            close += usize::from(least >= 0.9 * exact - 1e-5 && most <= 1.1 * exact + 1e-5);
        }
        assert!(known > 50_000 && close == known, "{close} of {known}");
    }

    #[test]
    fn there_is_no_window_at_a_pole_or_across_the_antimeridian() {
        let meters = 100_000.0;
        assert!(Origin::new(Point::new(0.0, 89.5)).window(&WORLD, meters).is_none());
        assert!(Origin::new(Point::new(179.9, 0.0)).window(&WORLD, meters).is_none());
        let beyond = Rect::new(WORLD.min, Point::new(540.0, 90.0));
        assert!(Origin::new(Point::new(1.0, 1.0)).window(&beyond, meters).is_none());
        assert!(Origin::new(Point::new(1.0, 1.0)).window(&WORLD, f64::INFINITY).is_none());
    }
}
