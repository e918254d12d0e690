//! The boxes that the tree stores and compares, in single precision. Knows no nodes.

use crate::geometry::{Point, Rect};

/// A box of float32 edges. The box of an item has no NaN.
///
/// The edges are `[min x, min y, -max x, -max y]`. So a box contains another if none of its edges
/// is greater, and a union has the lesser of each pair of edges: both are SIMD operations on all
/// four.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Bounds([f32; 4]);

/// Boxes that are compared without a branch between them; see [`Bounds::select`].
pub(super) const GROUP_COUNT: usize = 8;

/// Ordinates so small may not be rounded outward; see [`round_down`].
const NO_ROUNDING_BELOW: f32 = 1e-37;

/// The relative distance of neighbouring floats, 2^-23.
const ULP: f64 = 1.0 / 8_388_608.0;

/// Rounds down to a float. Like Tile38, scales the double if its nearest float is above it; that
/// can go one float too far, and has no effect below 1e-38. Rounding keeps the order of values, so
/// that boxes that touch in double precision touch in single precision, too.
fn round_down(value: f64) -> f32 {
    let nearest = value as f32;
    if f64::from(nearest) > value {
        let scale = if value < 0.0 { 1.0 + ULP } else { 1.0 - ULP };
        return (value * scale) as f32;
    }
    nearest
}

/// Rounds up to a float, by the same rule.
fn round_up(value: f64) -> f32 {
    let nearest = value as f32;
    if f64::from(nearest) < value {
        let scale = if value < 0.0 { 1.0 - ULP } else { 1.0 + ULP };
        return (value * scale) as f32;
    }
    nearest
}

/// Replaces NaN by 0, as NaN would break the order of the entries. The replacement is arbitrary: no
/// area matches an object with such an ordinate.
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

    /// Returns the lower edge on an axis: 0 is x, 1 is y.
    #[inline]
    pub fn min(&self, axis: usize) -> f32 {
        self.0[axis]
    }

    /// Returns the upper edge on an axis.
    #[inline]
    pub fn max(&self, axis: usize) -> f32 {
        -self.0[2 + axis]
    }

    /// Returns the box of an area to search, rounded outward. NaN is kept; it restricts nothing.
    pub fn of_area(rect: &Rect) -> Self {
        Bounds::new(
            [round_down(rect.min.x), round_down(rect.min.y)],
            [round_up(rect.max.x), round_up(rect.max.y)],
        )
    }

    /// Returns the box of an item, rounded outward, with 0 in place of NaN.
    pub fn of_item(rect: &Rect) -> Self {
        Bounds(Bounds::of_area(rect).0.map(ordered))
    }

    /// Returns the same box in double precision.
    pub fn to_rect(self) -> Rect {
        let corner = |x: f32, y: f32| Point::new(f64::from(x), f64::from(y));
        Rect::new(corner(self.min(0), self.min(1)), corner(self.max(0), self.max(1)))
    }

    /// Returns a box in double precision that contains every point whose bounding box lies in this
    /// one. Boxes of points very near 0 aren't rounded outward, so it has a margin for them.
    pub fn around_points(self) -> Rect {
        let Rect { min, max } = self.to_rect();
        let margin = f64::from(NO_ROUNDING_BELOW);
        let corner = |p: Point, by: f64| Point::new(p.x + by, p.y + by);
        Rect::new(corner(min, -margin), corner(max, margin))
    }

    /// Returns whether an ordinate of the item may be NaN; see [`ordered`].
    pub fn may_hide_nan(&self) -> bool {
        self.0.contains(&0.0)
    }

    /// Returns the smallest box around all boxes; `None` for no boxes.
    pub fn around(all: &[Bounds]) -> Option<Bounds> {
        let (first, rest) = all.split_first()?;
        Some(rest.iter().fold(*first, |sum, next| sum.union(next)))
    }

    /// Returns the smallest box around both boxes.
    #[must_use]
    pub fn union(&self, other: &Bounds) -> Bounds {
        let mut edges = self.0;
        for (edge, other) in edges.iter_mut().zip(other.0) {
            *edge = if other < *edge { other } else { *edge };
        }
        Bounds(edges)
    }

    /// Returns the area, computed in float32, since the order of the entries depends on its
    /// rounding.
    pub fn area(&self) -> f32 {
        (self.max(0) - self.min(0)) * (self.max(1) - self.min(1))
    }

    /// Returns whether the other box lies within this one, edges included.
    #[inline]
    pub fn contains(&self, other: &Bounds) -> bool {
        !is_any_greater(&self.0, &other.0)
    }

    /// Returns which boxes contain the inner one, as bit n for the n-th box; see
    /// [`Bounds::select`].
    pub fn containing(all: &[Bounds], inner: &Bounds) -> u64 {
        Bounds::select(all, inner.min(0), |outer| outer.contains(inner))
    }

    /// Returns for which boxes a condition holds, as bit n for the n-th box. It has to be false
    /// for all boxes that begin east of `right`. There are 64 boxes at most, ordered by their
    /// western edges. Groups of boxes are compared without branches, which could not be predicted.
    #[inline]
    pub fn select(all: &[Bounds], right: f32, holds: impl Fn(&Bounds) -> bool) -> u64 {
        let mut selected = 0;
        for (group, boxes) in all.chunks(GROUP_COUNT).enumerate() {
            if boxes[0].min(0) > right {
                break;
            }
            let held = |mask, bounds: &Bounds| mask << 1 | u64::from(holds(bounds));
            selected |= boxes.iter().rev().fold(0, held) << (group * GROUP_COUNT);
        }
        selected
    }

    /// Returns the greatest box with which the points of every box within it lie in the area, too.
    pub fn within_area(rect: &Rect) -> Self {
        // Not the nearest float but the next one: boxes of points are rounded outward, but not
        // where they are as good as 0.
        let inward = |outward: f32, next: fn(f32) -> f32| {
            let edge = next(next(outward));
            if edge.abs() < NO_ROUNDING_BELOW {
                next(0.0).signum() * NO_ROUNDING_BELOW
            } else {
                edge
            }
        };
        let outer = Bounds::of_area(rect);
        Bounds::new(
            [inward(outer.min(0), f32::next_up), inward(outer.min(1), f32::next_up)],
            [inward(outer.max(0), f32::next_down), inward(outer.max(1), f32::next_down)],
        )
    }

    /// Returns whether the boxes share a point, edges included.
    #[inline]
    pub fn overlaps(&self, other: &Bounds) -> bool {
        let [min_x, min_y, max_x, max_y] = other.0;
        !is_any_greater(&self.0, &[-max_x, -max_y, -min_x, -min_y])
    }

    /// Returns the distance of a point outside of the box, in degrees: the greater one of both
    /// axes. 0 inside.
    #[inline]
    pub fn gap(&self, x: f32, y: f32) -> f32 {
        // Unlike `f32::max`, one operation.
        let greater = |a: f32, b: f32| if a > b { a } else { b };
        let dx = greater(self.min(0) - x, x - self.max(0));
        let dy = greater(self.min(1) - y, y - self.max(1));
        greater(greater(dx, dy), 0.0)
    }

    /// Returns the squared distance from a point to the farthest corner, in degrees of y, where a
    /// degree of x has this width.
    #[inline]
    pub fn reach_squared(&self, p: Point, width: f64) -> f64 {
        let Rect { min, max } = self.to_rect();
        let greater = |a: f64, b: f64| if a > b { a } else { b };
        let east = greater(max.x - p.x, p.x - min.x) * width;
        let north = greater(max.y - p.y, p.y - min.y);
        east * east + north * north
    }

    /// Returns whether an inner box, one of those whose union this box is, touches one of its
    /// edges. Otherwise removing the inner box doesn't shrink this one.
    #[inline]
    pub fn rests_on(&self, inner: &Bounds) -> bool {
        self.0.iter().zip(inner.0).any(|(edge, inner)| inner <= *edge)
    }
}

/// Returns whether any edge is greater than its counterpart. Compares all four without branches,
/// which could not be predicted.
#[inline]
fn is_any_greater(edges: &[f32; 4], others: &[f32; 4]) -> bool {
    let greater = edges.iter().zip(others).map(|(edge, other)| u32::from(edge > other));
    greater.fold(0, |any, one| any | one) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_not_rounded() {
        for value in [0.0, -0.0, 1.5, -33.25, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(f64::from(round_down(value)), value);
            assert_eq!(f64::from(round_up(value)), value);
        }
    }

    #[test]
    fn doubles_between_floats_are_rounded_outward() {
        for value in [0.1, -0.1, 33.7, -115.123_456_789, 179.999_999_999] {
            assert!(f64::from(round_down(value)) <= value, "{value}");
            assert!(f64::from(round_up(value)) >= value, "{value}");
        }
    }

    #[test]
    fn doubles_beyond_the_range_of_floats_become_infinite() {
        assert_eq!(round_up(1e300), f32::INFINITY);
        assert_eq!(round_down(-1e300), f32::NEG_INFINITY);
    }

    #[test]
    fn the_box_of_an_item_has_no_nan() {
        let nan = Point::new(f64::NAN, f64::NAN);
        let stored = Bounds::of_item(&Rect::new(nan, nan));
        assert_eq!(stored, Bounds::default());
    }
}
