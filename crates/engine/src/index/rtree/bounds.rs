//! Boxes in single precision, as the tree stores and compares them. Knows nothing of nodes.

use crate::geometry::{Point, Rect};

/// A box of float32 edges; no edge is NaN in a stored one.
///
/// Kept as `[min x, min y, -max x, -max y]`: then a box contains another if no edge is greater, and
/// the union has the lesser of each, which processors do for all four at once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Bounds([f32; 4]);

/// How many boxes are compared before looking whether there may be more.
const GROUP_COUNT: usize = 8;

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
    fn new(min: [f32; 2], max: [f32; 2]) -> Self {
        Bounds([min[0], min[1], -max[0], -max[1]])
    }

    /// The lower edge of an axis: 0 for x, 1 for y.
    #[inline]
    pub fn min(&self, axis: usize) -> f32 {
        self.0[axis]
    }

    /// The upper edge of an axis.
    #[inline]
    pub fn max(&self, axis: usize) -> f32 {
        -self.0[2 + axis]
    }

    /// The box of an area to search: rounded outward, NaN kept (it restricts nothing).
    pub fn of_area(rect: &Rect) -> Self {
        Bounds::new(
            [round_down(rect.min.x), round_down(rect.min.y)],
            [round_up(rect.max.x), round_up(rect.max.y)],
        )
    }

    /// The box of an item: rounded outward, without NaN.
    pub fn of_item(rect: &Rect) -> Self {
        Bounds(Bounds::of_area(rect).0.map(ordered))
    }

    /// The same box in doubles.
    pub fn to_rect(self) -> Rect {
        let corner = |x: f32, y: f32| Point::new(f64::from(x), f64::from(y));
        Rect::new(corner(self.min(0), self.min(1)), corner(self.max(0), self.max(1)))
    }

    /// Whether an ordinate of the item may not be a number; see [`ordered`].
    pub fn may_hide_nan(&self) -> bool {
        self.0.contains(&0.0)
    }

    /// The smallest box around all of them; `None` for none.
    pub fn around(all: &[Bounds]) -> Option<Bounds> {
        let (first, rest) = all.split_first()?;
        Some(rest.iter().fold(*first, |sum, next| sum.union(next)))
    }

    /// The smallest box around both.
    #[must_use]
    pub fn union(&self, other: &Bounds) -> Bounds {
        let mut edges = self.0;
        for (edge, other) in edges.iter_mut().zip(other.0) {
            *edge = if other < *edge { other } else { *edge };
        }
        Bounds(edges)
    }

    /// The area, in float32 as the order of the entries depends on its rounding.
    pub fn area(&self) -> f32 {
        (self.max(0) - self.min(0)) * (self.max(1) - self.min(1))
    }

    /// Whether the other lies within this one, edges included.
    #[inline]
    pub fn contains(&self, other: &Bounds) -> bool {
        !is_any_greater(&self.0, &other.0)
    }

    /// Which of them hold the inner box: bit n for the n-th. There are 64 at most, in the order
    /// of their western edges. Several are compared at a time, without branches: which of them
    /// hold it can't be predicted.
    pub fn containing(all: &[Bounds], inner: &Bounds) -> u64 {
        let mut holders = 0;
        for (group, outers) in all.chunks(GROUP_COUNT).enumerate() {
            if outers[0].min(0) > inner.min(0) {
                break;
            }
            let within = |mask, outer: &Bounds| mask << 1 | u64::from(outer.contains(inner));
            holders |= outers.iter().rev().fold(0, within) << (group * GROUP_COUNT);
        }
        holders
    }

    /// Whether the boxes share a point, edges included.
    #[inline]
    pub fn overlaps(&self, other: &Bounds) -> bool {
        let [min_x, min_y, max_x, max_y] = other.0;
        !is_any_greater(&self.0, &[-max_x, -max_y, -min_x, -min_y])
    }

    /// How far a point is outside, by the farther of both axes, in the plane.
    #[inline]
    pub fn gap(&self, x: f32, y: f32) -> f32 {
        let (dx, dy) =
            ((self.min(0) - x).max(x - self.max(0)), (self.min(1) - y).max(y - self.max(1)));
        dx.max(dy).max(0.0)
    }

    /// Whether the inner box, one of those this is the union of, holds one of its edges: only
    /// then can taking it away shrink this one.
    #[inline]
    pub fn rests_on(&self, inner: &Bounds) -> bool {
        self.0.iter().zip(inner.0).any(|(edge, inner)| inner <= *edge)
    }
}

/// Of all four edges, without branches: which one decides can't be predicted.
#[inline]
fn is_any_greater(edges: &[f32; 4], others: &[f32; 4]) -> bool {
    let greater = edges.iter().zip(others).map(|(edge, other)| u32::from(edge > other));
    greater.fold(0, |any, one| any | one) != 0
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
        assert_eq!(stored, Bounds::default());
    }
}
