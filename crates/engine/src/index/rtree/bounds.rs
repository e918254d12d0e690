//! Boxes in single precision, as the tree stores and compares them. Knows nothing of nodes.

use crate::geometry::{Point, Rect};

/// A box of float32 edges, `[x, y]` each; no edge is NaN in a stored one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    pub min: [f32; 2],
    pub max: [f32; 2],
}

/// One part in 2^23, the relative distance of neighbouring floats.
const ULP: f64 = 1.0 / 8_388_608.0;

/// The float at or below. Tile38 scales a double whose nearest float lies above it, which can
/// go one float further than needed, or not at all below 1e-38. Rounding keeps the order of values,
/// so boxes that touch in doubles touch in floats all the same.
fn round_down(value: f64) -> f32 {
    let nearest = value as f32;
    if f64::from(nearest) > value {
        let scale = if value < 0.0 { 1.0 + ULP } else { 1.0 - ULP };
        return (value * scale) as f32;
    }
    nearest
}

/// The float at or above, by the same rule.
fn round_up(value: f64) -> f32 {
    let nearest = value as f32;
    if f64::from(nearest) < value {
        let scale = if value < 0.0 { 1.0 - ULP } else { 1.0 + ULP };
        return (value * scale) as f32;
    }
    nearest
}

/// No area matches an ordinate that isn't a number, so where the index keeps it doesn't matter,
/// but NaN would break the order of the entries around it: it counts as 0.
fn ordered(value: f32) -> f32 {
    if value.is_nan() {
        0.0
    } else {
        value
    }
}

impl Bounds {
    /// The box of an area to search: rounded outward, NaN kept (it restricts nothing).
    pub fn of_area(rect: &Rect) -> Self {
        Bounds {
            min: [round_down(rect.min.x), round_down(rect.min.y)],
            max: [round_up(rect.max.x), round_up(rect.max.y)],
        }
    }

    /// The box of an item: rounded outward, without NaN.
    pub fn of_item(rect: &Rect) -> Self {
        let raw = Bounds::of_area(rect);
        Bounds { min: raw.min.map(ordered), max: raw.max.map(ordered) }
    }

    /// The same box in doubles.
    pub fn to_rect(self) -> Rect {
        let point = |[x, y]: [f32; 2]| Point::new(f64::from(x), f64::from(y));
        Rect::new(point(self.min), point(self.max))
    }

    /// Whether an ordinate of the item may not be a number; see [`ordered`].
    pub fn may_hide_nan(&self) -> bool {
        self.min.contains(&0.0) || self.max.contains(&0.0)
    }

    /// The smallest box around all of them; `None` for none.
    pub fn around(all: &[Bounds]) -> Option<Bounds> {
        let (first, rest) = all.split_first()?;
        Some(rest.iter().fold(*first, |sum, next| sum.union(next)))
    }

    /// The smallest box around both.
    #[must_use]
    pub fn union(&self, other: &Bounds) -> Bounds {
        let lower = |a: f32, b: f32| if b < a { b } else { a };
        let upper = |a: f32, b: f32| if b > a { b } else { a };
        Bounds {
            min: [lower(self.min[0], other.min[0]), lower(self.min[1], other.min[1])],
            max: [upper(self.max[0], other.max[0]), upper(self.max[1], other.max[1])],
        }
    }

    /// The area, in float32 as the order of the entries depends on its rounding.
    pub fn area(&self) -> f32 {
        (self.max[0] - self.min[0]) * (self.max[1] - self.min[1])
    }

    /// Whether the other lies within this one, edges included.
    #[inline]
    #[allow(clippy::needless_bitwise_bool)] // which edge decides can't be predicted: no branches
    pub fn contains(&self, other: &Bounds) -> bool {
        !((other.min[0] < self.min[0])
            | (other.max[0] > self.max[0])
            | (other.min[1] < self.min[1])
            | (other.max[1] > self.max[1]))
    }

    /// Whether the boxes share a point, edges included.
    #[inline]
    #[allow(clippy::needless_bitwise_bool)] // as above
    pub fn overlaps(&self, other: &Bounds) -> bool {
        !((other.min[0] > self.max[0])
            | (other.max[0] < self.min[0])
            | (other.min[1] > self.max[1])
            | (other.max[1] < self.min[1]))
    }

    /// How far a point is outside, by the farther of both axes, in the plane.
    #[inline]
    pub fn gap(&self, x: f32, y: f32) -> f32 {
        let (dx, dy) = (self.min[0] - x, self.min[1] - y);
        dx.max(x - self.max[0]).max(dy.max(y - self.max[1])).max(0.0)
    }

    /// Whether the inner box, one of those this is the union of, holds one of its edges: only
    /// then can taking it away shrink this one.
    #[inline]
    pub fn rests_on(&self, inner: &Bounds) -> bool {
        inner.min[0] <= self.min[0]
            || inner.max[0] >= self.max[0]
            || inner.min[1] <= self.min[1]
            || inner.max[1] >= self.max[1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_that_are_floats_stay() {
        for value in [0.0, -0.0, 1.5, -33.25, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(f64::from(round_down(value)), value);
            assert_eq!(f64::from(round_up(value)), value);
        }
    }

    #[test]
    fn edges_between_floats_go_outward() {
        for value in [0.1, -0.1, 33.7, -115.123_456_789, 179.999_999_999] {
            assert!(f64::from(round_down(value)) <= value, "{value}");
            assert!(f64::from(round_up(value)) >= value, "{value}");
        }
    }

    #[test]
    fn doubles_beyond_float_range_stay_outside() {
        assert_eq!(round_up(1e300), f32::INFINITY);
        assert_eq!(round_down(-1e300), f32::NEG_INFINITY);
    }

    #[test]
    fn a_stored_box_has_no_nan() {
        let nan = Point::new(f64::NAN, f64::NAN);
        let stored = Bounds::of_item(&Rect::new(nan, nan));
        assert_eq!(stored, Bounds { min: [0.0, 0.0], max: [0.0, 0.0] });
    }
}
