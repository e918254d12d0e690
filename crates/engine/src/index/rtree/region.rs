//! What an area tells about the boxes of a node: which of them it touches, and which points are in
//! it or not, without looking at the items.

use arrayvec::ArrayVec;

use super::bounds::{Bounds, GROUP_COUNT};
use super::node::places;
use crate::geometry::distance::{PlanarDisc, COVER_BOXES_MAX};
use crate::geometry::predicates::{holds_box, LocalEdges};
use crate::geometry::{PlanarArea, Polygon, Rect};

/// An area to search.
pub(super) struct Region<'r> {
    boxes: ArrayVec<Bounds, COVER_BOXES_MAX>,
    /// The greatest x of the boxes.
    right: f32,
    points: Points<'r>,
}

/// How the bounding box of a point tells whether the point is in the area.
enum Points<'r> {
    /// It doesn't tell.
    Undecided,
    /// A point is in the area if its bounding box lies in this one, and isn't in the area if its
    /// bounding box doesn't touch that of the area.
    Box(Bounds),
    Disc(DiscBoxes),
    /// Compared with the boxes of items only if few edges are near all of them: otherwise to
    /// compare an item's box wouldn't take less than to compare the item.
    Polygon(&'r Polygon),
}

/// Where an item is, as far as its box tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It is a point in the area.
    Inside,
    /// It is a point that isn't in the area.
    Outside,
    /// The item has to be compared with the area.
    Unknown,
}

/// The kind of a node's entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Node,
    /// Items, some of which are points.
    Point,
    /// Items none of which is a point.
    Shape,
}

/// Entries of a node as sets: bit n for the n-th entry.
#[derive(Clone, Copy)]
pub(super) struct Sides {
    /// The entries whose bounding boxes touch one of the region's.
    pub touching: u64,
    /// The entries all of whose points are in the area.
    pub inside: u64,
    /// The entries none of whose points is in the area.
    pub outside: u64,
}

impl Sides {
    /// Returns the side of the points of one entry.
    pub fn of(&self, at: usize) -> Side {
        match () {
            () if self.inside >> at & 1 == 1 => Side::Inside,
            () if self.outside >> at & 1 == 1 => Side::Outside,
            () => Side::Unknown,
        }
    }
}

impl<'r> Region<'r> {
    /// Returns the region that touches at least one of a few boxes. The area decides about points
    /// only if there is one box and all items are within ±180° and ±90°.
    pub fn new(boxes: &[Rect], area: Option<PlanarArea<'r>>) -> Self {
        assert!(boxes.len() <= COVER_BOXES_MAX, "a cover has few boxes");
        let boxes: ArrayVec<Bounds, COVER_BOXES_MAX> = boxes.iter().map(Bounds::of_area).collect();
        // NaN restricts nothing.
        let greater = |a: f32, b: f32| if a.is_nan() || b <= a { a } else { b };
        let right = boxes.iter().map(|bounds| bounds.max(0)).fold(f32::NEG_INFINITY, greater);
        let points = match area.filter(|_| boxes.len() == 1) {
            None => Points::Undecided,
            Some(PlanarArea::Rect(rect)) => Points::Box(Bounds::within_area(&rect)),
            Some(PlanarArea::Disc(disc)) => Points::Disc(DiscBoxes::new(disc)),
            Some(PlanarArea::Polygon(polygon)) => Points::Polygon(polygon),
        };
        Region { boxes, right, points }
    }

    /// Returns the sides of the entries of a node, given the side of all points below.
    #[inline]
    pub fn sides(&self, all: &[Bounds], entry: Entry, node: Side) -> Sides {
        let touching = match &self.boxes[..] {
            [area] => Bounds::select(all, self.right, |bounds| bounds.overlaps(area)),
            areas => Bounds::select(all, self.right, |bounds| {
                areas.iter().fold(false, |touches, area| touches | bounds.overlaps(area))
            }),
        };
        let (inside, outside) = match (&self.points, node) {
            (_, Side::Inside) => (touching, 0),
            (_, Side::Outside) => (0, touching),
            _ if touching == 0 => (0, 0),
            (Points::Undecided, _) => (0, 0),
            _ if entry == Entry::Shape => (0, 0),
            (Points::Polygon(_), _) if entry == Entry::Node => (0, 0),
            (Points::Polygon(polygon), _) => polygon_sides(polygon, all, touching),
            (Points::Box(inner), _) => {
                (keep(all, touching, self.right, |bounds| inner.contains(bounds)), 0)
            }
            // What isn't all in the disc's box can't be all in the disc, and the side of such a
            // node outside would save little.
            (Points::Disc(disc), _) if entry == Entry::Node => {
                let area = &self.boxes[0];
                disc.sides(all, keep(all, touching, self.right, |bounds| area.contains(bounds)))
            }
            (Points::Disc(disc), _) => disc.sides(all, touching),
        };
        Sides { touching, inside: inside & touching, outside: outside & touching }
    }

    /// Returns on which side the points of a node are that may be on either.
    #[inline]
    pub fn node_side(&self, bounds: &Bounds) -> Side {
        let Points::Polygon(polygon) = &self.points else { return Side::Unknown };
        match holds_box(polygon, &bounds.around_points()) {
            Some(true) => Side::Inside,
            Some(false) => Side::Outside,
            None => Side::Unknown,
        }
    }

    /// Returns whether a box lies in one of the region's boxes, so that every item in it touches
    /// the region.
    pub fn holds(&self, bounds: &Bounds) -> bool {
        self.boxes.iter().any(|area| area.contains(bounds))
    }
}

/// From so many items on it pays to look for the edges near all of them.
const POLYGON_ITEMS_MIN: u32 = 4;

/// Returns two sets of the boxes of items that touch a polygon's bounding box: those all of whose
/// points are in the polygon, and those none of whose points is.
fn polygon_sides(polygon: &Polygon, all: &[Bounds], touching: u64) -> (u64, u64) {
    if touching.count_ones() < POLYGON_ITEMS_MIN {
        return (0, 0);
    }
    let touched = places(touching).map(|at| all[at]).reduce(|sum, next| sum.union(&next));
    let edges = touched.and_then(|area| LocalEdges::new(polygon, &area.around_points()));
    let Some(edges) = edges else { return (0, 0) };
    let (mut inside, mut outside) = (0, 0);
    for at in places(touching) {
        match edges.hold(&all[at].around_points()) {
            Some(true) => inside |= 1 << at,
            Some(false) => outside |= 1 << at,
            None => {}
        }
    }
    (inside, outside)
}

/// Up to so many entries of a node are compared one by one rather than in groups.
const FEW_MAX: u32 = 8;

/// Returns the entries of a set for which a condition holds. The western edge of each entry of the
/// set is at most `right`.
#[inline]
fn keep(all: &[Bounds], set: u64, right: f32, holds: impl Fn(&Bounds) -> bool) -> u64 {
    if set.count_ones() > FEW_MAX {
        return Bounds::select(all, right, holds) & set;
    }
    places(set).filter(|at| holds(&all[*at])).fold(0, |kept, at| kept | 1 << at)
}

/// A disc in single precision. What rounding may change is allowed for, so that a box near the
/// border is neither in the disc nor outside.
struct DiscBoxes {
    x: f32,
    y: f32,
    least_width: f32,
    most_width: f32,
    inside: f32,
    outside: f32,
}

/// The bits of a group of boxes.
const GROUP_MASK: u64 = (1 << GROUP_COUNT) - 1;

/// Up to so many boxes of a group are compared one by one.
const FEW_OF_GROUP_MAX: u32 = 2;

/// By how many degrees a difference of ordinates may be off, besides relatively: the nearest float
/// to an ordinate of up to 180 is no farther away.
const DEGREES_ALLOWANCE: f32 = 1e-5;
/// By what share sums of squares may be off.
const RELATIVE_ALLOWANCE: f32 = 4e-6;

impl DiscBoxes {
    fn new(disc: &PlanarDisc) -> Self {
        DiscBoxes {
            x: disc.center.x as f32,
            y: disc.center.y as f32,
            least_width: disc.least_width as f32 * (1.0 - RELATIVE_ALLOWANCE),
            most_width: disc.most_width as f32 * (1.0 + RELATIVE_ALLOWANCE),
            inside: disc.inside as f32 * (1.0 - RELATIVE_ALLOWANCE),
            outside: disc.outside as f32 * (1.0 + RELATIVE_ALLOWANCE),
        }
    }

    /// Returns two sets of the boxes that touch the disc's bounding box: those inside the disc,
    /// and those outside.
    #[inline]
    fn sides(&self, all: &[Bounds], touching: u64) -> (u64, u64) {
        let (mut inside, mut outside) = (0, 0);
        for (group, boxes) in all.chunks(GROUP_COUNT).enumerate() {
            let shift = group * GROUP_COUNT;
            let set = touching >> shift & GROUP_MASK;
            if set.count_ones() <= FEW_OF_GROUP_MAX {
                for at in places(set) {
                    let (farthest, nearest) = self.squares(&boxes[at]);
                    inside |= u64::from(farthest <= self.inside) << (shift + at);
                    outside |= u64::from(nearest > self.outside) << (shift + at);
                }
                continue;
            }
            // A group of fixed size is compared by SIMD operations.
            let mut padded = [Bounds::default(); GROUP_COUNT];
            padded[..boxes.len()].copy_from_slice(boxes);
            let squares = padded.map(|bounds| self.squares(&bounds));
            inside |= bits(squares.map(|(farthest, _)| farthest <= self.inside)) << shift;
            outside |= bits(squares.map(|(_, nearest)| nearest > self.outside)) << shift;
        }
        (inside, outside)
    }

    /// Returns the squared distances of the farthest corner, by the greatest width of a degree,
    /// and of the nearest point, by the least one.
    #[inline]
    fn squares(&self, bounds: &Bounds) -> (f32, f32) {
        // Unlike `f32::max`, one operation.
        let greater = |a: f32, b: f32| if a > b { a } else { b };
        let (to_west, to_east) = (self.x - bounds.min(0), bounds.max(0) - self.x);
        let (to_south, to_north) = (self.y - bounds.min(1), bounds.max(1) - self.y);
        let east = greater(to_west, to_east) + DEGREES_ALLOWANCE;
        let north = greater(to_south, to_north) + DEGREES_ALLOWANCE;
        let farthest = self.most_width * (east * east) + north * north;
        let east = greater(greater(-to_west, -to_east) - DEGREES_ALLOWANCE, 0.0);
        let north = greater(greater(-to_south, -to_north) - DEGREES_ALLOWANCE, 0.0);
        (farthest, self.least_width * (east * east) + north * north)
    }
}

/// Returns a set of flags: bit n for the n-th.
#[inline]
fn bits(flags: [bool; GROUP_COUNT]) -> u64 {
    // Moves the lowest bit of each byte to the highest byte.
    u64::from_le_bytes(flags.map(u8::from)).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::geodesy::destination;
    use crate::geometry::{Circle, Geometry, Point};
    use proptest::prelude::*;

    /// Asserts that a decision about the box around points holds for each of them.
    fn check(area: &Geometry, points: &[Point]) -> Sides {
        let all = Rect::new(Point::new(-180.0, -90.0), Point::new(180.0, 90.0));
        let region = Region::new(&area.cover(&all), area.planar_area());
        let bounds = Bounds::of_item(&Rect::around(points));
        let mut sides = region.sides(&[bounds; 4], Entry::Point, Side::Unknown);
        for set in [&mut sides.touching, &mut sides.inside, &mut sides.outside] {
            assert!(*set == 0 || *set == 15, "equal boxes are on the same side");
            *set &= 1;
        }
        match region.node_side(&bounds) {
            Side::Inside => sides.inside = 1,
            Side::Outside => sides.outside = 1,
            Side::Unknown => {}
        }
        for p in points {
            let is_inside = crate::geometry::predicates::contains_point(area, *p);
            assert!(sides.inside == 0 || is_inside, "{area:?} {p:?}");
            assert!(sides.outside == 0 || !is_inside, "{area:?} {p:?}");
            assert!(sides.touching & 1 == 1 || !is_inside, "{area:?} {p:?}");
        }
        sides
    }

    fn in_world(p: Point) -> Point {
        Point::new(p.x.clamp(-180.0, 180.0), p.y.clamp(-90.0, 90.0))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn what_boxes_tell_of_a_circle_is_so(
            (x, y) in (-180.0..180.0_f64, -90.0..90.0_f64),
            exponent in -3.0..7.4_f64,
            bearings in (0.0..360.0_f64, 0.0..360.0_f64),
            shares in prop_oneof![
                (0.0..1.5_f64, 0.0..1.5_f64),
                (0.0..1.5_f64, 0.999..1.001_f64),
                (-1e-6..1e-6_f64).prop_map(|more| (1.0 + more, 1.0 + more)),
            ],
        ) {
            let meters = 10.0_f64.powf(exponent);
            let center = Point::new(x, y);
            let area = Geometry::Circle(Circle::new(center, meters));
            let p = in_world(destination(center, meters * shares.0, bearings.0));
            let q = in_world(destination(center, meters * shares.1, bearings.1));
            check(&area, &[p]);
            check(&area, &[p, q, Point::new(p.x, q.y), Point::new(q.x, p.y)]);
        }

        #[test]
        fn what_boxes_tell_of_a_box_is_so(
            edges in prop::array::uniform4(edge()),
            p in (edge(), edge()),
            q in (edge(), edge()),
        ) {
            let [x, y, right, top] = edges;
            let area = Geometry::Rect(Rect::new(Point::new(x, y), Point::new(right, top)));
            let (p, q) = (Point::new(p.0, p.1), Point::new(q.0, q.1));
            check(&area, &[p]);
            check(&area, &[p, q]);
        }
    }

    #[test]
    fn flags_become_bits() {
        for n in 0..256_u64 {
            let flags = std::array::from_fn(|at| n >> at & 1 == 1);
            assert_eq!(bits(flags), n);
        }
    }

    #[test]
    fn what_boxes_tell_of_a_polygon_is_so() {
        let corners = [(0.0, 0.0), (9.0, 1.0), (3.0, 2.0), (8.0, 9.0), (0.0, 0.0)];
        let ring = corners.map(|(x, y)| Point::new(x, y)).to_vec();
        let area = Geometry::simple_polygon(ring);
        let mut decided = 0;
        for n in 0..10_000 {
            let (x, y) = (f64::from(n % 100) * 0.1, f64::from(n / 100) * 0.1);
            let sides = check(&area, &[Point::new(x, y), Point::new(x + 0.1, y + 0.1)]);
            decided += usize::from(sides.inside | sides.outside == 1);
        }
        assert!(decided > 8000, "{decided}");
    }

    /// Ordinates that coincide, that floats don't hold, and that are as good as 0.
    fn edge() -> impl Strategy<Value = f64> {
        prop_oneof![
            (-9..9_i32).prop_map(|edge| f64::from(edge) / 3.0),
            (-4..4_i32).prop_map(|edge| 0.1 + f64::from(edge) * 1e-9),
            prop::sample::select(vec![0.0, -0.0, 5e-46, -5e-46, 1e-40, -1e-40, 3e-38]),
            -90.0..90.0_f64,
        ]
    }

    #[test]
    fn boxes_decide_about_nearly_all_points() {
        let circle = Geometry::Circle(Circle::new(Point::new(13.4, 52.5), 50_000.0));
        let rect = Rect::new(Point::new(12.7, 52.1), Point::new(14.1, 52.9));
        for area in [circle, Geometry::Rect(rect)] {
            let points = (0..10_000).map(|n| {
                Point::new(12.75 + f64::from(n % 100) * 0.013, 52.15 + f64::from(n / 100) * 0.007)
            });
            let sides = points.map(|p| check(&area, &[p]));
            let undecided = sides.filter(|sides| sides.inside | sides.outside == 0).count();
            assert!(undecided < 300, "{undecided}");
        }
    }
}
