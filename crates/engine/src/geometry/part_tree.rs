//! A tree over the parts of a large geometry by place: the children of a collection, or the holes
//! of a polygon. Knows their boxes only.

use super::box_tree::{BoxTree, LEAF_ITEMS};
use super::Rect;
use std::ops::Range;

/// Items with boxes, found by place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PartTree {
    tree: BoxTree,
    /// The indexes of the parts, neighbours near each other.
    order: Box<[u32]>,
    /// The box of each part, in the same order.
    boxes: Box<[RoundedBox]>,
}

impl PartTree {
    /// Returns a tree over parts, given their indexes and boxes; `None` if they are too many to
    /// number.
    pub(super) fn new(parts: impl Iterator<Item = (usize, Rect)>) -> Option<Self> {
        let mut placed: Vec<(u32, Rect)> = Vec::with_capacity(parts.size_hint().0);
        for (index, bounds) in parts {
            placed.push((u32::try_from(index).ok()?, bounds));
        }
        // Columns of leaves by x, and by y within a column.
        let leaves = placed.len() / LEAF_ITEMS + 1;
        let column = LEAF_ITEMS * leaves.isqrt().max(1);
        placed.sort_by(|(_, a), (_, b)| a.center().x.total_cmp(&b.center().x));
        for part in placed.chunks_mut(column) {
            part.sort_by(|(_, a), (_, b)| a.center().y.total_cmp(&b.center().y));
        }
        let bounds = |run: Range<usize>| {
            let boxes = placed[run].iter().map(|(_, bounds)| *bounds);
            boxes.reduce(|whole, bounds| whole.union(&bounds)).unwrap_or_default()
        };
        let tree = BoxTree::new(placed.len(), bounds)?;
        let boxes = placed.iter().map(|(_, bounds)| RoundedBox::around(bounds)).collect();
        Some(PartTree { tree, order: placed.iter().map(|(index, _)| *index).collect(), boxes })
    }

    /// Returns the tree, whose items are positions in [`Self::order`].
    pub(super) fn tree(&self) -> &BoxTree {
        &self.tree
    }

    /// Returns the indexes of the parts, neighbours near each other.
    pub(super) fn order(&self) -> &[u32] {
        &self.order
    }

    /// Returns the indexes of the parts that may touch a box, in no particular order.
    #[inline]
    pub(super) fn near(&self, area: &Rect) -> impl Iterator<Item = usize> + '_ {
        let area = *area;
        let runs = self.tree.runs(move |bounds| bounds.overlaps(&area));
        runs.flatten()
            .filter(move |at| self.boxes[*at].overlaps(&area))
            .map(|at| self.order[at] as usize)
    }
}

/// A box in single precision that holds the box it was made of: half the memory, so that a search
/// reads half as much.
#[derive(Clone, Copy, Debug, PartialEq)]
struct RoundedBox {
    min: [f32; 2],
    max: [f32; 2],
}

impl RoundedBox {
    fn around(bounds: &Rect) -> Self {
        let (min, max) = (bounds.min, bounds.max);
        // -x rounded up is x rounded down.
        let down = |x: f64| -rounded_up(-x);
        RoundedBox { min: [down(min.x), down(min.y)], max: [rounded_up(max.x), rounded_up(max.y)] }
    }

    /// Whether the boxes share a point; so does a box with NaNs, as for [`Rect::overlaps`].
    #[inline]
    fn overlaps(&self, other: &Rect) -> bool {
        let [min_x, min_y] = self.min.map(f64::from);
        let [max_x, max_y] = self.max.map(f64::from);
        !(min_y > other.max.y || max_y < other.min.y || min_x > other.max.x || max_x < other.min.x)
    }
}

/// Returns a single-precision number that is at least x and almost as small as possible.
fn rounded_up(x: f64) -> f32 {
    let near = x as f32;
    if f64::from(near) >= x || near.is_nan() {
        return near;
    }
    if near.is_infinite() {
        return f32::MIN;
    }
    near + near.abs() * f32::EPSILON + f32::MIN_POSITIVE
}

#[cfg(test)]
mod tests {
    use super::super::Point;
    use super::*;
    use proptest::prelude::*;

    fn square(x: f64, y: f64) -> Rect {
        Rect::new(Point::new(x, y), Point::new(x + 0.5, y + 0.5))
    }

    #[test]
    fn parts_are_found_by_place_and_few_others() {
        let place = |n: usize| square((n * 7 % 50) as f64, (n / 50) as f64);
        let tree = PartTree::new((0..2500).map(|n| (n, place(n)))).unwrap();
        for index in 0..2500 {
            let center = place(index).center();
            let near: Vec<usize> = tree.near(&Rect::new(center, center)).collect();
            assert_eq!(near, [index]);
        }
    }

    #[test]
    fn a_part_keeps_its_index() {
        let tree = PartTree::new([(7, square(1.0, 1.0)), (2, square(0.0, 0.0))].into_iter());
        let mut near: Vec<usize> = tree.unwrap().near(&square(0.5, 0.5)).collect();
        near.sort_unstable();
        assert_eq!(near, [2, 7]);
    }

    fn coordinate() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<f64>(),
            -180.0..180.0,
            (-2000..2000i32).prop_map(|n| f64::from(n) / 10.0),
            Just(f64::INFINITY),
            Just(-1e300),
            Just(1e-300),
        ]
    }

    proptest! {
        #[test]
        fn a_rounded_number_is_no_less_and_near(x in coordinate()) {
            let rounded = f64::from(rounded_up(x));
            prop_assert!(x.is_nan() || rounded >= x);
            let is_near = rounded - x <= x.abs() * 3e-7 + 1e-37;
            prop_assert!(x.abs() > 3e38 || x.is_nan() || is_near, "{} {}", x, rounded);
        }

        #[test]
        fn a_rounded_box_overlaps_whatever_the_box_does(
            (a, b, c, d) in (coordinate(), coordinate(), coordinate(), coordinate()),
            (e, f, g, h) in (coordinate(), coordinate(), coordinate(), coordinate()),
        ) {
            let bounds = Rect::new(Point::new(a, b), Point::new(c, d));
            let other = Rect::new(Point::new(e, f), Point::new(g, h));
            prop_assert!(RoundedBox::around(&bounds).overlaps(&other) || !bounds.overlaps(&other));
        }
    }
}
